package archive

import (
	"archive/zip"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"time"

	"github.com/google/uuid"
)

// archive is a zip while it is written. After its first error nothing more is.
type archive struct {
	zip        *zip.Writer
	at         time.Time
	individual uuid.UUID
	files      []File
	err        error
}

// level is how hard it is compressed. The usual 6 takes twice as long for a sixth
// less.
const level = 2

func begin(w io.Writer, individual uuid.UUID, at time.Time) (*archive, error) {
	deflate, err := flate.NewWriter(nil, level)
	if err != nil {
		return nil, err
	}
	a := &archive{zip: zip.NewWriter(w), individual: individual, at: at}
	a.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		deflate.Reset(w) // there is one file at a time
		return deflate, nil
	})
	return a, nil
}

// file writes a file, whose content counts its own rows.
func (a *archive) file(ctx context.Context, name, table string, content func(out *line) (rows int, err error)) {
	if a.err == nil {
		a.err = ctx.Err()
	}
	if a.err != nil {
		return
	}
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.at}
	header.SetMode(0o600) // once it is unpacked, for whoever did that alone
	entry, err := a.zip.CreateHeader(header)
	if err != nil {
		a.err = err
		return
	}
	to := &tally{Writer: entry, sum: sha256.New()}
	out := &line{to: to, file: name}
	rows, err := content(out)
	if err == nil {
		err = out.flush()
	}
	a.err = err
	a.files = append(a.files, File{Name: name, Table: table, Rows: rows, Size: to.size, SHA256: hex.EncodeToString(to.sum.Sum(nil))})
}

// same checks that two files, which are written, have the same rows.
func (a *archive) same(name, other string) {
	if a.err != nil {
		return
	}
	rows := map[string]int{}
	for _, f := range a.files {
		rows[f.Name] = f.Rows
	}
	if rows[name] != rows[other] {
		a.err = strange(name, "the source gave another number of rows for "+other)
	}
}

// tally counts and hashes what is written.
type tally struct {
	io.Writer
	sum  hash.Hash
	size int64
}

func (t *tally) Write(p []byte) (int, error) {
	n, err := t.Writer.Write(p)
	t.sum.Write(p[:n])
	t.size += int64(n)
	return n, err
}
