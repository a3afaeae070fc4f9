package simulate

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
)

// WriteNDJSON writes every message, one a line, person by person, in constant
// memory. Progress, when given, is told after each person how many are done. It
// stops with the writer's error, or the context's.
func (p *Population) WriteNDJSON(ctx context.Context, w io.Writer, progress func(done int)) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for i := range p.size {
		if err := ctx.Err(); err != nil {
			return err
		}
		messages := p.Individual(i).Messages
		for k := range messages {
			if err := encoder.Encode(&messages[k]); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(i + 1)
		}
	}
	return buffered.Flush()
}
