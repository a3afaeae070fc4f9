package identity_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
	"github.com/acquaint/acquaint/internal/script"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		var w cast
		for _, line := range q.Load {
			if err := w.read(line); err != nil {
				return nil, fmt.Errorf("%s: %w", line.At, err)
			}
		}
		if text := q.Ask.Option("revoke"); text != "" {
			for n := range strings.SplitSeq(text, ",") {
				if err := w.revoke(n); err != nil {
					return nil, err
				}
			}
		}
		answer := w.tell(w.links)
		for order := range orders(w.links) {
			if other := w.tell(order); !slices.Equal(other, answer) {
				return other, fmt.Errorf("in the order %v of its links the answer differs", names(order))
			}
		}
		return answer, nil
	})
}

// cast is who is in a scene: members by name, oldest first, and links.
type cast struct {
	names   []string
	members []identity.Member
	links   []insight.Link
}

var kinds = map[byte]insight.IdentifierKind{
	'u': insight.UserID, 'e': insight.Email, 'p': insight.Phone, 'x': insight.External, 'd': insight.DeviceID, 'a': insight.AnonymousID,
}

func (w *cast) member(name string) (uuid.UUID, error) {
	if i := slices.Index(w.names, name); i >= 0 {
		return w.members[i].Key, nil
	}
	kind, ok := kinds[name[0]]
	if !ok {
		return uuid.Nil, fmt.Errorf("%q is no member", name)
	}
	// Keys say nothing about age: they are hashes.
	m := identity.Member{Key: uuid.NewSHA1(uuid.Nil, []byte(name)), Kind: kind, Origin: uuid.UUID{6: byte(len(w.names) + 1)}}
	w.names, w.members = append(w.names, name), append(w.members, m)
	return m.Key, nil
}

func (w *cast) read(line script.Line) error {
	if line.Words[0] == "born" {
		for _, name := range line.Words[1:] {
			if _, err := w.member(name); err != nil {
				return err
			}
		}
		return nil
	}
	if len(line.Words) < 3 {
		return fmt.Errorf("a link is its two ends and when it was observed")
	}
	a, err := w.member(line.Words[0])
	if err != nil {
		return err
	}
	b, err := w.member(line.Words[1])
	if err != nil {
		return err
	}
	at, err := time.Parse("15:04", line.Words[2])
	if err != nil {
		return err
	}
	number := len(w.links) + 1
	if text := line.Option("id"); text != "" {
		if number, err = strconv.Atoi(text); err != nil {
			return err
		}
	}
	l := insight.Link{ID: uuid.UUID{15: byte(number)}, AKey: a, BKey: b, ObservedAt: at, Operator: slices.Contains(line.Words, "operator")}
	if slices.Contains(line.Words, "revoked") {
		l.RevokedAt = at.Add(time.Hour)
	}
	w.links = append(w.links, l)
	return nil
}

func (w *cast) revoke(number string) error {
	for i := range w.links {
		if strconv.Itoa(int(w.links[i].ID[15])) == number {
			w.links[i].RevokedAt = w.links[i].ObservedAt.Add(time.Hour)
			return nil
		}
	}
	return fmt.Errorf("there is no link %s to revoke", number)
}

// tell says who is whom, one individual a line, the oldest first.
func (w *cast) tell(links []insight.Link) []string {
	standings := identity.Resolve(w.members, links)
	var lines []string
	for i, oldest := range w.members {
		if standings[oldest.Key].Individual != oldest.Origin {
			continue
		}
		var of []string
		var shared, contested bool
		for j, m := range w.members {
			s := standings[m.Key]
			if s.Individual != oldest.Origin {
				continue
			}
			of = append(of, w.names[j])
			shared, contested = shared || s.Shared, contested || s.Contested
		}
		slices.SortFunc(of, func(a, b string) int {
			return int(kinds[a[0]])*100 + int(a[1]) - int(kinds[b[0]])*100 - int(b[1])
		})
		note := ""
		if shared {
			note = ", shared"
		}
		if contested {
			note += ", contested"
		}
		lines = append(lines, w.names[i]+" is "+strings.Join(of, " ")+note)
	}
	return lines
}

// orders yields every order of a few links, a hundred orders of more.
func orders(links []insight.Link) func(func([]insight.Link) bool) {
	return func(yield func([]insight.Link) bool) {
		if len(links) > 4 {
			r := rand.New(rand.NewPCG(1, 2))
			for range 100 {
				some := slices.Clone(links)
				r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
				if !yield(some) {
					return
				}
			}
			return
		}
		var permute func(done, left []insight.Link) bool
		permute = func(done, left []insight.Link) bool {
			if len(left) == 0 {
				return yield(done)
			}
			for i := range left {
				rest := slices.Delete(slices.Clone(left), i, i+1)
				if !permute(append(slices.Clone(done), left[i]), rest) {
					return false
				}
			}
			return true
		}
		permute(nil, links)
	}
}

func names(links []insight.Link) []int {
	ids := make([]int, len(links))
	for i, l := range links {
		ids[i] = int(l.ID[15])
	}
	return ids
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
