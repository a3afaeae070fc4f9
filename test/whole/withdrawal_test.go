package whole

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// How many take part, and for how long at most people withdraw.
const (
	crowdSize   = 40 // people
	withdrawers = 30 // of whom the first ones take consent back
	crowdTime   = 8 * time.Second
)

// crowd is people who granted marketing, and of whom many take it back one after the
// other while they are read, followed and written about flat out.
//
// Everything that is told of a person holds a mark of theirs: zw007zw. Each of those who
// withdraw has a device besides, which granted marketing by itself (its mark is zd007zd)
// and turns out to be theirs when they have withdrawn. A subject is a person, or, from
// crowdSize on, a device.
//
// What is checked needs no clock:
//
//   - a read that is sent after the answer to a withdrawal holds nothing of its subject;
//   - what was recorded after that answer (its mark is followed by "-after") is never
//     told at all;
//   - on one subscription, nothing of the subject comes after a mark of the witness that
//     was recorded after that answer.
type crowd struct {
	*testing.T
	write, read *house
	client      *http.Client
	token       string
	ids         map[string]int              // subjects by the ids of what is theirs
	told        map[int][]string            // some of these, by subject
	gone        [2 * crowdSize]atomic.Bool  // by subject: the answer has come
	seen        [2 * crowdSize]atomic.Int64 // how often subjects were told of
	reads       atomic.Int64                // how many there were
	number      atomic.Int64                // of messages
	tick        chan struct{}               // told of reads, when somebody waits for one
	heard       sync.WaitGroup              // until every subscription has begun
}

func mark(subject int) string {
	if subject >= crowdSize {
		return fmt.Sprintf("zd%03dzd", subject-crowdSize)
	}
	return fmt.Sprintf("zw%03dzw", subject)
}

var marks = regexp.MustCompile(`z([wd])([0-9]{3})z[wd](-after)?|(?:ind|int|con|ses)_[0-9a-z]{26}`)

// mentioned are the subjects that a text tells of, and whether it tells what was recorded
// after they had withdrawn.
func (c *crowd) mentioned(text string) (subjects map[int]bool, after string) {
	subjects = map[int]bool{}
	for _, m := range marks.FindAllStringSubmatch(text, -1) {
		if m[1] == "" {
			if s, known := c.ids[m[0]]; known {
				subjects[s] = true
			}
			continue
		}
		s, _ := strconv.Atoi(m[2]) // three digits
		if m[1] == "d" {
			s += crowdSize
		}
		subjects[s] = true
		if m[3] != "" {
			after = m[0]
		}
	}
	for s := range subjects {
		c.seen[s].Add(1)
	}
	return subjects, after
}

// snapshot are the subjects that have withdrawn by now, and how many people and devices
// they are.
func (c *crowd) snapshot() (gone map[int]bool, people, devices int) {
	gone = map[int]bool{}
	for s := range c.gone {
		switch {
		case !c.gone[s].Load():
			continue
		case s < crowdSize:
			people++
		default:
			devices++
		}
		gone[s] = true
	}
	return gone, people, devices
}

// post asks the graph, from any goroutine.
func (c *crowd) post(ctx context.Context, h *house, purpose, query string, variables map[string]any) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/graphql", strings.NewReader(operation(query, variables)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Acquaint-Purpose", purpose)
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d %s", answer.StatusCode, body)
	}
	return string(body), err
}

// must is post of what cannot fail.
func (c *crowd) must(ctx context.Context, h *house, purpose, query string, variables map[string]any) (string, error) {
	text, err := c.post(ctx, h, purpose, query, variables)
	if err == nil && strings.Contains(text, `"errors"`) {
		err = fmt.Errorf("%s: %s", query, text)
	}
	return text, err
}

const (
	grant  = `mutation($who: IndividualLookup!, $evidence: JSON) { recordConsents(input: {individual: $who, consents: [{purpose: "marketing", decision: GRANTED, effectiveAt: "2026-01-01T00:00:00Z", evidence: $evidence}]}) { consents { id } } }`
	decide = `mutation($who: IndividualLookup!, $evidence: JSON) { recordConsents(input: {individual: $who, consents: [{purpose: "personalization", decision: GRANTED, evidence: $evidence}]}) { consents { id } } }`
	takes  = `mutation($who: IndividualLookup!, $reason: String) { withdrawConsent(input: {individual: $who, purposes: ["marketing"], reason: $reason}) { individual { id } states { permitted } } }`
	tells  = `mutation($all: [InteractionInput!]!) { recordInteractions(input: {interactions: $all}) { accepted withheld rejected { message } } }`
	links  = `mutation($in: IdentifyInput!) { identify(input: $in) { individual { id } } }`
)

func lookup(subject int) map[string]any {
	if subject >= crowdSize {
		return map[string]any{"anonymousId": mark(subject)}
	}
	return map[string]any{"userId": mark(subject)}
}

// event is one of a subject, or with -1 of the witness.
func (c *crowd) event(subject int, text string, late bool) map[string]any {
	n := c.number.Add(1)
	e := map[string]any{"type": "visit", "occurredAt": time.Now().UTC().Format(time.RFC3339Nano), "messageId": fmt.Sprintf("%s-%d", text, n), "properties": map[string]any{"said": text}}
	if late {
		e["occurredAt"] = "2026-03-01T10:00:00Z"
	}
	if subject < 0 {
		e["userId"] = "witness"
		return e
	}
	maps.Copy(e, lookup(subject))
	return e
}

// gather makes everybody known.
func (c *crowd) gather(ctx context.Context) {
	c.Helper()
	check := func(text string, err error) string {
		c.Helper()
		if err != nil {
			c.Fatal(err)
		}
		return text
	}
	subjects := []int{-1}
	for s := range crowdSize {
		subjects = append(subjects, s)
		if s < withdrawers {
			subjects = append(subjects, crowdSize+s)
		}
	}
	var all []map[string]any
	for _, s := range subjects {
		who, name := map[string]any{"userId": "witness"}, "witness"
		if s >= 0 {
			who, name = lookup(s), mark(s)
		}
		check(c.must(ctx, c.write, "service", grant, map[string]any{"who": who, "evidence": map[string]any{"by": name}}))
		for range 3 {
			all = append(all, c.event(s, name+"-before", true))
		}
		if s >= 0 && s < crowdSize {
			check(c.must(ctx, c.write, "service", links, map[string]any{"in": map[string]any{"userId": name, "traits": map[string]any{"nickname": name + " the person"}}}))
		}
	}
	check(c.must(ctx, c.write, "service", tells, map[string]any{"all": all}))
	for _, s := range subjects[1:] {
		text := check(c.must(ctx, c.write, "marketing", `query($who: IndividualLookup!) { individual(by: $who) { id interactions(first: 3) { nodes { id } } consents { nodes { id } } sessions { nodes { id } } } }`, map[string]any{"who": lookup(s)}))
		for _, id := range marks.FindAllString(text, -1) {
			c.ids[id], c.told[s] = s, append(c.told[s], id)
		}
		if len(c.told[s]) != 6 {
			c.Fatalf("%s has the ids %v", mark(s), c.told[s])
		}
	}
}

// ways are the reads. One that is about one subject has a variable who or id; counts is
// how many its totalCount or population may be when some have withdrawn, nil where it
// tells no such number.
var ways = []struct {
	query  string
	counts func(people, devices int) int
}{
	{query: `query($who: IndividualLookup!) { individual(by: $who) { id identifiers { value } traits { value } links { a { value } b { value } } consents { nodes { id evidence } }
		interactions(first: 5) { totalCount nodes { id messageId properties session { id } individual { id } } } sessions(first: 2) { totalCount nodes { id interactions(first: 2) { nodes { messageId } } } } } }`},
	{`query { individuals(first: 100) { totalCount nodes { id identifiers { value } consent(purpose: "marketing") { permitted record { id evidence } } interactions(first: 2) { nodes { messageId } } } } }`, countAll},
	{query: `query($id: ID!) { node(id: $id) { __typename id ... on Individual { identifiers { value } } ... on Interaction { messageId individual { id } } ... on Consent { evidence } ... on Session { individual { id } interactions(first: 2) { nodes { messageId } } } } }`},
	{query: `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Interaction { messageId individual { identifiers { value } } } ... on Consent { evidence } ... on Individual { traits { value } } } }`},
	{query: `query { individuals(first: 50, where: {event: {types: ["visit"], properties: [{path: "said", op: CONTAINS, value: "before"}]}}) { nodes { sessions(first: 2) { nodes { interactions(first: 3) { nodes { messageId properties } } } } recency(event: {types: ["visit"]}) { count } } } }`},
	{`query { individuals(where: {trait: {key: "nickname", op: CONTAINS, value: "the person"}}, orderBy: {field: FIRST_SEEN_AT, direction: ASC}, first: 100) { totalCount edges { node { traits { value } } } } }`, func(people, _ int) int { return crowdSize - people }},
	{`query { insights { consents { population } } }`, countAll},
}

// countAll is how many are covered at most: the witness, the people and the devices.
func countAll(people, devices int) int { return 1 + crowdSize - people + withdrawers - devices }

// looks reads without a rest, until there is nothing more to see.
func (c *crowd) looks(ctx context.Context, h *house, done <-chan struct{}, from int) error {
	for n := from; ; n++ {
		select {
		case <-done:
			return nil
		default:
		}
		if err := c.look(ctx, h, n); err != nil {
			return err
		}
		select {
		case c.tick <- struct{}{}: // somebody waits to withdraw
		default:
		}
	}
}

func (c *crowd) look(ctx context.Context, h *house, n int) error {
	way := ways[n%len(ways)]
	subject := n / len(ways) % withdrawers
	if n%2 == 1 {
		subject += crowdSize
	}
	variables, alone := map[string]any{}, true
	switch {
	case strings.HasPrefix(way.query, "query($who:"):
		variables["who"] = lookup(subject)
	case strings.HasPrefix(way.query, "query($id:"):
		variables["id"] = c.told[subject][n%len(c.told[subject])]
	case strings.HasPrefix(way.query, "query($ids:"):
		ids := []string{}
		for s := range withdrawers {
			ids = append(ids, c.told[s][n%len(c.told[s])], c.told[crowdSize+s][n%len(c.told[s])])
		}
		variables["ids"], alone = ids, false
	default:
		alone = false
	}

	gone, people, devices := c.snapshot() // whose withdrawal was answered before this read begins
	text, err := c.post(ctx, h, "marketing", way.query, variables)
	if err != nil {
		return err
	}
	c.reads.Add(1)
	subjects, after := c.mentioned(text)
	for s := range subjects {
		if gone[s] {
			return fmt.Errorf("%s had withdrawn before %s %v began: %s", mark(s), way.query, variables, text)
		}
	}
	if after != "" {
		return fmt.Errorf("%s is told by %s: %s", after, way.query, text)
	}
	var answer struct {
		Data struct {
			Individual, Node any
			Individuals      struct{ TotalCount int }
			Insights         struct{ Consents struct{ Population int } }
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return err
	}
	if alone && gone[subject] && (answer.Data.Individual != nil || answer.Data.Node != nil) {
		return fmt.Errorf("%s had withdrawn, and %s is answered %s", mark(subject), way.query, text)
	}
	if count := max(answer.Data.Individuals.TotalCount, answer.Data.Insights.Consents.Population); way.counts != nil && count > way.counts(people, devices) {
		return fmt.Errorf("when %d people and %d devices had withdrawn, %s counts %d", people, devices, way.query, count)
	}
	return nil
}

// writes tells of what they do without a rest, by the API and by the tracking API.
func (c *crowd) writes(ctx context.Context, done <-chan struct{}, from int) error {
	for n := from; ; n++ {
		select {
		case <-done:
			return nil
		default:
		}
		var some []map[string]any
		for k := range 6 {
			s := (n*3 + k) % withdrawers
			if k%2 == 1 {
				s += crowdSize
			}
			text := mark(s) + "-before"
			if c.gone[s].Load() {
				text = mark(s) + "-after"
			}
			some = append(some, c.event(s, text, k%3 == 0))
		}
		if n%2 == 0 {
			if _, err := c.must(ctx, c.write, "service", tells, map[string]any{"all": some}); err != nil {
				return err
			}
			continue
		}
		if err := c.track(ctx, some); err != nil {
			return err
		}
	}
}

// track sends events as an SDK does.
func (c *crowd) track(ctx context.Context, events []map[string]any) error {
	for _, e := range events {
		e["timestamp"], e["event"], e["type"] = e["occurredAt"], e["type"], "track"
		delete(e, "occurredAt")
	}
	body, err := json.Marshal(map[string]any{"batch": events})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.write.url+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.SetBasicAuth(c.write.writeKey, "")
	answer, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || bytes.Contains(text, []byte("rejected"))) {
		err = fmt.Errorf("%d %s", answer.StatusCode, text)
	}
	return err
}

// withdraws takes consent back for one person, and then links their device.
func (c *crowd) withdraws(ctx context.Context, person int) error {
	select {
	case <-c.tick: // others read meanwhile
	case <-ctx.Done():
		return ctx.Err()
	}
	text, err := c.must(ctx, c.write, "marketing", takes, map[string]any{"who": lookup(person), "reason": mark(person) + "-after withdraws"})
	if err != nil {
		return err
	}
	c.gone[person].Store(true)
	if !strings.Contains(text, `"withdrawConsent":{"individual":null,"states":[{"permitted":false}]}`) {
		return fmt.Errorf("the answer is %s", text)
	}
	if _, err := c.must(ctx, c.write, "service", decide, map[string]any{"who": lookup(person), "evidence": map[string]any{"by": mark(person) + "-after"}}); err != nil {
		return err
	}
	if err := c.witness(ctx, fmt.Sprintf("over-%03d", person)); err != nil {
		return err
	}
	device := crowdSize + person
	if _, err := c.must(ctx, c.write, "service", links, map[string]any{"in": map[string]any{"userId": mark(person), "anonymousId": mark(device)}}); err != nil {
		return err
	}
	c.gone[device].Store(true)
	return c.witness(ctx, fmt.Sprintf("over-%03d", device))
}

// witness says something to everybody who follows under marketing.
func (c *crowd) witness(ctx context.Context, text string) error {
	answer, err := c.must(ctx, c.write, "service", tells, map[string]any{"all": []any{c.event(-1, text, false)}})
	if err == nil && !strings.Contains(answer, `"accepted":1`) {
		err = fmt.Errorf("%s is answered %s", text, answer)
	}
	if err == nil {
		_, err = c.must(ctx, c.write, "service", decide, map[string]any{"who": map[string]any{"userId": "witness"}, "evidence": map[string]any{"by": text}})
	}
	return err
}

// ear is a subscription.
type ear struct {
	name           string
	house          *house
	socket         bool
	purpose, query string

	begun  sync.Once
	events int
	over   map[int]bool    // subjects after whose withdrawal the witness was heard
	texts  map[string]bool // of a control, all that it was told
}

const (
	followsInteractions = `subscription { interactions(where: {types: ["visit"]}) { id messageId properties individual { id identifiers { value } traits { value } interactions(first: 2) { nodes { messageId } } } } }`
	followsConsents     = `subscription { consentChanges { id evidence decision purpose { key } } }`
)

func earsOf(h *house, name string) []*ear {
	var all []*ear
	for _, socket := range []bool{true, false} {
		how := map[bool]string{true: "a socket", false: "an event stream"}[socket]
		interactions := followsInteractions
		if socket {
			interactions = `subscription { interactions { messageId } }` // where nothing else may be missing
		}
		all = append(all,
			&ear{name: how + " of interactions" + name, house: h, socket: socket, purpose: "marketing", query: interactions},
			&ear{name: how + " of decisions" + name, house: h, socket: socket, purpose: "marketing", query: followsConsents},
			&ear{name: how + " of decisions under service" + name, house: h, socket: socket, purpose: "service", query: followsConsents, texts: map[string]bool{}},
		)
	}
	for _, e := range all {
		e.over = map[int]bool{}
	}
	return all
}

var errEnd = errors.New("the end was heard")

// follows hears a subscription to its end.
func (c *crowd) follows(ctx context.Context, e *ear) error {
	listen := c.stream
	if e.socket {
		listen = c.socket
	}
	err := listen(ctx, e, func(text string) error { return c.hears(e, text) })
	switch {
	case errors.Is(err, errEnd):
		return nil
	case err == nil:
		return fmt.Errorf("%s ended by itself", e.name)
	}
	return fmt.Errorf("%s: %w", e.name, err)
}

var overs = regexp.MustCompile(`^over-([0-9]{3})`)

func (c *crowd) hears(e *ear, text string) error {
	if strings.Contains(text, `"errors"`) {
		return errors.New(text)
	}
	e.begun.Do(c.heard.Done)
	e.events++
	var event struct {
		Data struct {
			Interactions   struct{ MessageID string }
			ConsentChanges struct{ Evidence struct{ By string } }
		}
	}
	if err := json.Unmarshal([]byte(text), &event); err != nil {
		return err
	}
	said := event.Data.Interactions.MessageID + event.Data.ConsentChanges.Evidence.By // one of them, in the witness's words
	if e.texts != nil {
		e.texts[text] = true
	} else {
		subjects, after := c.mentioned(text)
		if after != "" {
			return fmt.Errorf("%s is told: %s", after, text)
		}
		for s := range subjects {
			if e.over[s] {
				return fmt.Errorf("%s is told of after what came after they had withdrawn: %s", mark(s), text)
			}
		}
	}
	if m := overs.FindStringSubmatch(said); m != nil {
		s, _ := strconv.Atoi(m[1]) // three digits
		e.over[s] = true
	}
	if strings.HasPrefix(said, "the-end") {
		return errEnd
	}
	return nil
}

func (c *crowd) stream(ctx context.Context, e *ear, hear func(string) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.house.url+"/graphql", strings.NewReader(query(e.query)))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + c.token, "Acquaint-Purpose": e.purpose, "Content-Type": "application/json", "Accept": "text/event-stream"} {
		r.Header.Set(name, value)
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
			if err := hear(data); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

func (c *crowd) socket(ctx context.Context, e *ear, hear func(string) error) error {
	conn, answer, err := websocket.Dial(ctx, e.house.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: c.client})
	if err != nil {
		return err
	}
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	for _, m := range []string{
		`{"type":"connection_init","payload":{"authorization":"Bearer ` + c.token + `","acquaint-purpose":"` + e.purpose + `"}}`,
		`{"type":"subscribe","id":"1","payload":` + query(e.query) + `}`,
	} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(m)); err != nil {
			return err
		}
	}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return err
		}
		switch m.Type {
		case "connection_ack":
		case "next":
			if err := hear(string(m.Payload)); err != nil {
				return err
			}
		default:
			return errors.New(string(text))
		}
	}
}

// TestWithdrawalFlatOut: from the answer to a withdrawal on, nobody is shown anything of
// the person for that purpose, however much goes on.
func TestWithdrawalFlatOut(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		flatOut(t, h, h)
	})
}

// TestWithdrawalAcrossServers: nor by another server on the same database.
func TestWithdrawalAcrossServers(t *testing.T) {
	o := testdb.Postgres(t)
	flatOut(t, openAs(t, o, "shop"), openAs(t, o, "kiosk"))
}

// flatOut lets people withdraw by one server, while they are read and followed at both.
func flatOut(t *testing.T, write, read *house) {
	c := &crowd{
		T: t, write: write, read: read, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		token: write.token("individuals:read insights:read consent:write interactions:write"), ids: map[string]int{}, told: map[int][]string{}, tick: make(chan struct{}),
	}
	t.Cleanup(c.client.CloseIdleConnections)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // a broken test ends
	defer cancel()
	c.gather(ctx)

	ears := earsOf(read, "")
	houses := []*house{read}
	if write != read {
		ears = append(ears, earsOf(write, ", where they withdraw")...)
		houses = append(houses, write)
	}
	c.heard.Add(len(ears))
	all, running := errgroup.WithContext(ctx)
	for _, e := range ears {
		all.Go(func() error { return c.follows(running, e) })
	}
	begun := make(chan struct{})
	go func() { // it ends with the ears, each of which hears something or fails
		c.heard.Wait()
		close(begun)
	}()
	all.Go(func() error {
		for {
			select {
			case <-begun:
				return nil
			case <-running.Done():
				for _, e := range ears { // none waits for those who failed
					e.begun.Do(c.heard.Done)
				}
				return running.Err()
			default:
			}
			if err := c.witness(running, "hello"); err != nil {
				return err
			}
		}
	})

	done := make(chan struct{})
	var withdrawn atomic.Int64
	all.Go(func() error {
		defer close(done)
		select {
		case <-begun:
		case <-running.Done():
			return running.Err()
		}
		took := time.Now()
		each, ending := errgroup.WithContext(running)
		for first := range 4 {
			each.Go(func() error {
				for person := first; person < withdrawers && time.Since(took) < crowdTime; person += 4 {
					if err := c.withdraws(ending, person); err != nil {
						return err
					}
					withdrawn.Add(1)
				}
				return nil
			})
		}
		if err := each.Wait(); err != nil {
			return err
		}
		return c.witness(running, "the-end")
	})
	for n := range 4 {
		all.Go(func() error { return c.looks(running, houses[n%len(houses)], done, n*1000) })
	}
	for n := range 2 {
		all.Go(func() error { return c.writes(running, done, n*1000) })
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	c.after(ears, int(withdrawn.Load()))
}

// after looks at how it ended, and that there was something to see.
func (c *crowd) after(ears []*ear, withdrawn int) {
	c.Helper()
	if withdrawn < 4 {
		c.Errorf("in %v %d withdrew, which are too few to say anything", crowdTime, withdrawn)
	}
	unseen := 0
	for person := range withdrawers {
		if c.gone[person].Load() && c.seen[person].Load() == 0 {
			unseen++
		}
	}
	if unseen > withdrawn/2 {
		c.Errorf("%d of %d were not seen before they withdrew", unseen, withdrawn)
	}
	events := 0
	for _, e := range ears {
		events += e.events
		if len(e.over) != 2*withdrawn && e.texts == nil {
			c.Errorf("%s heard of %d withdrawals, want %d", e.name, len(e.over), 2*withdrawn)
		}
		if e.texts == nil {
			continue
		}
		for person := range withdrawers {
			told := false
			for text := range e.texts {
				told = told || strings.Contains(text, mark(person)+"-after withdraws") && strings.Contains(text, "WITHDRAWN")
			}
			if told != c.gone[person].Load() {
				c.Errorf("%s is told that %s withdraws: %v", e.name, mark(person), told)
			}
		}
	}
	for _, h := range []*house{c.read, c.write} {
		for purpose, want := range map[string]int{"marketing": countAll(withdrawn, withdrawn), "service": countAll(0, withdrawn)} {
			var found struct{ Individuals struct{ TotalCount int } }
			h.gets(c.token, purpose, `{ individuals(first: 1) { totalCount } }`, nil, &found)
			if found.Individuals.TotalCount != want {
				c.Errorf("for %s there are %d in the end, want %d", purpose, found.Individuals.TotalCount, want)
			}
		}
	}
	v, err := c.write.store.Verify(c.Context(), nil)
	if err != nil || v.Total > 0 {
		c.Errorf("verify: %v, %+v", err, v)
	}
	c.Logf("%d withdrew, %d reads, %d events of %d subscriptions, %d interactions", withdrawn, c.reads.Load(), events, len(ears), v.Interactions)
}
