package bulk

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory keeps events by message id.
type memory struct {
	kept    map[string]bool
	batches []int
	before  func(batch int) error
}

func (m *memory) Append(ctx context.Context, events []*insight.Event) ([]insight.Outcome, error) {
	if m.before != nil {
		if err := m.before(len(m.batches)); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.batches = append(m.batches, len(events))
	outcomes := make([]insight.Outcome, len(events))
	for i, e := range events {
		outcomes[i].Status = insight.StatusAccepted
		if m.kept[e.MessageID] {
			outcomes[i].Status = insight.StatusDuplicate
		}
		m.kept[e.MessageID] = true
	}
	return outcomes, nil
}

func newMemory() *memory { return &memory{kept: map[string]bool{}} }

// numbered is a source of n events, each with an id of its own.
func numbered(n int) Source {
	return func(_ context.Context, yield func(*insight.Event) error) error {
		for i := range n {
			if err := yield(&insight.Event{MessageID: string(rune('0' + i))}); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestStoppedAndDoneAgain(t *testing.T) {
	m := newMemory()
	stopped := errors.New("stopped by hand")
	ctx, stop := context.WithCancelCause(context.Background())
	m.before = func(batch int) error {
		if batch == 0 {
			stop(stopped) // while the first batch is under way
		}
		return nil
	}
	tally, err := Keep(ctx, m, 4_000, numbered(10_000), nil)
	if !errors.Is(err, stopped) || tally != (Tally{Accepted: 4_000}) {
		t.Fatalf("stopped: %+v, %v, want 4,000 accepted and the context's cause", tally, err)
	}
	m.before = nil
	var told []int64
	tally, err = Keep(context.Background(), m, 4_000, numbered(10_000), func(t Tally) { told = append(told, t.All()) })
	if err != nil || tally != (Tally{Accepted: 6_000, Duplicates: 4_000}) {
		t.Errorf("again: %+v, %v", tally, err)
	}
	if len(told) != 3 || told[0] != 4_000 || told[2] != 10_000 {
		t.Errorf("it was told %v", told)
	}
}

func TestStoppedAfterTheLastEvent(t *testing.T) {
	m := newMemory()
	ctx, stop := context.WithCancel(context.Background())
	m.before = func(int) error { stop(); return nil }
	tally, err := Keep(ctx, m, 10, numbered(3), nil)
	if !errors.Is(err, context.Canceled) || tally.Accepted != 3 {
		t.Errorf("Keep = %+v, %v, want all three kept and the context's error", tally, err)
	}
}

func TestErrorsEndTheWork(t *testing.T) {
	fault := errors.New("the disk is full")
	t.Run("of the keeper", func(t *testing.T) {
		m := newMemory()
		m.before = func(batch int) error {
			if batch == 2 {
				return fault
			}
			return nil
		}
		tally, err := Keep(context.Background(), m, 10, numbered(1_000), nil)
		if !errors.Is(err, fault) || tally.Accepted != 20 {
			t.Errorf("Keep = %+v, %v, want 20 accepted and the keeper's error", tally, err)
		}
	})
	t.Run("of the source", func(t *testing.T) {
		m := newMemory()
		tally, err := Keep(context.Background(), m, 10, func(ctx context.Context, yield func(*insight.Event) error) error {
			return errors.Join(numbered(25)(ctx, yield), fault)
		}, nil)
		if !errors.Is(err, fault) || tally.Accepted%10 != 0 || tally.Accepted != int64(len(m.kept)) {
			t.Errorf("Keep = %+v, %v, want whole batches and the source's error", tally, err)
		}
	})
}

// choosy answers events in turn with each status.
type choosy struct{}

func (choosy) Append(_ context.Context, events []*insight.Event) ([]insight.Outcome, error) {
	outcomes := make([]insight.Outcome, len(events))
	for i := range outcomes {
		outcomes[i].Status = insight.StatusAccepted + insight.Status(i%4)
	}
	return outcomes, nil
}

func TestWhatIsWithheldIsNotKept(t *testing.T) {
	tally, err := Keep(context.Background(), choosy{}, 10, numbered(18), nil)
	if want := (Tally{Accepted: 5, Duplicates: 5, Withheld: 4, Rejected: 4}); err != nil || tally != want || tally.Kept() != 10 || tally.All() != 18 {
		t.Errorf("Keep = %+v, %v, want %+v", tally, err, want)
	}
}

// However many events come in batches of whatever size, each is handed over once,
// in batches that are full but for the last.
func TestEveryEventOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, size := rapid.IntRange(0, 200).Draw(t, "events"), rapid.IntRange(1, 50).Draw(t, "size")
		m := newMemory()
		tally, err := Keep(context.Background(), m, size, numbered(n), nil)
		if err != nil || tally.Accepted != int64(n) || tally.All() != int64(n) || tally.Kept() != int64(n) {
			t.Fatalf("Keep = %+v, %v", tally, err)
		}
		for i, got := range m.batches {
			if want := min(size, n-i*size); got != want {
				t.Fatalf("batch %d has %d events, want %d", i, got, want)
			}
		}
	})
}
