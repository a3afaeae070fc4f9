package whole

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/server"
	"github.com/acquaint/acquaint/store"
)

// operator is a token of somebody who reads and writes for others.
func (h *house) operator(subject, scope string) string {
	h.t.Helper()
	text, err := server.Sign([]byte(secret), server.Claims{Scope: scope, Purposes: server.Names{"service", "analytics", "marketing"}, RegisteredClaims: jwt.RegisteredClaims{Subject: subject}}, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

// knows makes somebody known, with something of everything; it returns their id. What is
// held of them holds their name.
func (h *house) knows(name string) string {
	h.t.Helper()
	officer := h.token("admin")
	for _, r := range []reply{
		h.track("identify", `{"userId":"`+name+`","anonymousId":"`+name+`-browser","messageId":"`+name+`-1","timestamp":"2026-03-01T10:00:00Z","context":{"externalIds":[{"id":"`+name+`-crm","type":"crm"}]},
			"traits":{"email":"`+name+`@example.com","phone":"+4420794600`+fmt.Sprintf("%02d", name[len(name)-1]-'a')+`","nickname":"`+name+` the person"}}`),
		h.track("track", `{"userId":"`+name+`","anonymousId":"`+name+`-browser","messageId":"`+name+`-2","event":"`+name+` bought","timestamp":"2026-03-01T10:01:00Z","properties":{"note":"`+name+`"}}`),
		h.track("page", `{"anonymousId":"`+name+`-browser","messageId":"`+name+`-3","name":"`+name+`","timestamp":"2026-03-01T10:02:00Z"}`),
	} {
		if r.status != http.StatusOK || strings.Contains(r.body, "rejected") {
			h.t.Fatalf("%d %s", r.status, r.body)
		}
	}
	var nothing any
	h.gets(officer, "", `mutation($who: IndividualLookup!, $e: JSON) { recordConsents(input: {individual: $who, consents: [{purpose: "personalization", decision: GRANTED, evidence: $e}]}) { consents { id } } requestExport(input: {individual: $who}) { url } }`,
		map[string]any{"who": map[string]any{"userId": name}, "e": map[string]any{"form": name}}, &nothing)
	var found struct{ Individual struct{ ID string } }
	h.gets(officer, "service", `query($who: IndividualLookup!) { individual(by: $who) { id } }`, map[string]any{"who": map[string]any{"userId": name}}, &found)
	return found.Individual.ID
}

// stream follows a subscription as an event stream. The function that it returns gives
// the next event, "" at the end.
func (h *house) stream(ctx context.Context, token, purpose, subscription string) func() string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/graphql", strings.NewReader(query(subscription)))
	if err != nil {
		h.t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + token, "Acquaint-Purpose": purpose, "Content-Type": "application/json", "Accept": "text/event-stream"} {
		r.Header.Set(name, value)
	}
	answer, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return func() string {
		for lines.Scan() {
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
				return data
			}
		}
		return ""
	}
}

// begins sends hellos of somebody until a subscription hears one, and returns when it has
// heard all of them: from then on it misses nothing.
func (h *house) begins(hear func() string, hello func(n int)) {
	h.t.Helper()
	heard := make(chan string, 1)
	go func() { heard <- hear() }()
	n := 0
	for begun := false; !begun; {
		n++
		hello(n)
		select {
		case text := <-heard:
			for last := fmt.Sprintf("hello-%d.", n); !strings.Contains(text, last); text = hear() {
				if !strings.Contains(text, "hello") {
					h.t.Fatalf("while hellos are sent, %q is heard", text)
				}
			}
			begun = true
		default:
		}
	}
}

// visit is an event of a browser.
func (h *house) visit(browser, text string) {
	h.t.Helper()
	if r := h.track("track", `{"anonymousId":"`+browser+`","messageId":"`+text+`","event":"visit"}`); r.status != http.StatusOK {
		h.t.Fatal(r.body)
	}
}

const everything = `individual {
	id identifiers { kind value } links { a { value } b { value } source messageId } traits { key value source } sessions { nodes { id interactionCount } }
	interactions(first: 100) { totalCount nodes { messageId type properties channel { key } source { name } } } recency { count } journey { converted touchpoints { channel { key } } }
	consents { totalCount nodes { decision evidence method source } } consentStates { purpose { key } status permitted } consent(purpose: "marketing") { status }
	accessLog(first: 100) { totalCount nodes { subject operation purpose { key } at } } requests { kind requestedBy digest }
}`

// me is what an individual's own token shows of them.
type me struct {
	ID           string
	Identifiers  []struct{ Kind, Value string }
	Traits       []struct{ Key, Source string }
	Sessions     struct{ Nodes []struct{ ID string } }
	Interactions struct {
		TotalCount int
		Nodes      []struct{ MessageID string }
	}
	Consents struct {
		TotalCount int
		Nodes      []struct{ Decision, Method, Source string }
	}
	Consent   struct{ Status string }
	AccessLog struct {
		TotalCount int
		Nodes      []access
	}
	Requests []struct{ Kind, RequestedBy string }
}

type access struct {
	Subject, Operation string
	Purpose            struct{ Key string }
	At                 time.Time
}

// TestOwnToken: with a token of their own somebody sees what is held of them and who was
// shown it, decides, takes their archive, and is erased; then the token is nobody's.
func TestOwnToken(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a broken test ends
		defer cancel()
		began := time.Now()
		ann, bob := h.knows("zq-ann"), h.knows("zq-bob")
		own := h.own(ann)
		look := func() (me, string) {
			t.Helper()
			data, faults := h.asks(own, "", "{ viewer { "+everything+" } }", nil)
			if len(faults) > 0 {
				t.Fatalf("%+v", faults)
			}
			var answer struct{ Viewer struct{ Individual *me } }
			if err := json.Unmarshal(data, &answer); err != nil {
				t.Fatal(err)
			}
			if answer.Viewer.Individual == nil {
				t.Fatal("she sees nothing of herself")
			}
			if strings.Contains(string(data), "zq-bob") || strings.Contains(string(data), bob) {
				t.Errorf("she sees bob: %s", data)
			}
			return *answer.Viewer.Individual, string(data)
		}

		// Others are shown her data: by a query, a subscription and an archive.
		var found struct {
			Individual struct{ Traits []struct{ Key string } }
		}
		h.gets(h.operator("clerk", "individuals:read"), "service", `{ individual(by: {email: "zq-ann@example.com"}) { traits { key } } }`, nil, &found)
		h.gets(h.operator("clerk", "individuals:read"), "analytics", `{ individual(by: {userId: "zq-ann"}) { traits { key } } }`, nil, &found)
		watched := h.stream(ctx, h.operator("watcher", "individuals:read"), "analytics", `subscription { interactions { messageId } }`)
		h.begins(watched, func(n int) { h.visit("somebody", fmt.Sprintf("hello-%d.", n)) })
		h.visit("zq-ann-browser", "zq-ann-4")
		if got := watched(); !strings.Contains(got, "zq-ann-4") {
			t.Fatalf("the watcher hears %s", got)
		}
		var asked struct{ RequestExport struct{ URL string } }
		h.gets(h.operator("archivist", "requests:write"), "", `mutation { requestExport(input: {individual: {userId: "zq-ann"}}) { url } }`, nil, &asked)
		if r := h.send(get(asked.RequestExport.URL)); r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}

		she, text := look()
		values := map[string]string{}
		for _, i := range she.Identifiers {
			values[i.Kind] = i.Value
		}
		if she.ID != ann || len(she.Identifiers) != 5 || values["USER_ID"] != "zq-ann" || values["EMAIL"] != "zq-ann@example.com" || values["ANONYMOUS_ID"] != "zq-ann-browser" || values["EXTERNAL"] != "crm:zq-ann-crm" ||
			she.Interactions.TotalCount != 4 || len(she.Traits) < 2 || len(she.Sessions.Nodes) == 0 || she.Consents.TotalCount != 1 || len(she.Requests) != 2 || !strings.Contains(text, "zq-ann the person") {
			t.Errorf("she sees %s", text)
		}
		accesses := func(log []access) map[string]int {
			all := map[string]int{}
			for _, a := range log {
				all[a.Subject+" "+a.Operation+" "+a.Purpose.Key]++
				if a.At.Before(began.Truncate(time.Minute)) || a.At.After(time.Now()) || a.At.Second() != 0 {
					t.Errorf("%s was shown her data at %v", a.Subject, a.At)
				}
			}
			return all
		}
		shown := accesses(she.AccessLog.Nodes)
		want := []string{"operator query service", "clerk query service", "clerk query analytics", "watcher subscription analytics", "archivist export service"}
		for _, w := range want {
			if shown[w] == 0 {
				t.Errorf("that %q was shown her data is not in the log: %v", w, shown)
			}
		}
		if len(shown) != len(want) || she.AccessLog.TotalCount != len(she.AccessLog.Nodes) {
			t.Errorf("the log has %d entries, %v, want those of %v", she.AccessLog.TotalCount, shown, want)
		}

		// She decides, and takes it back; in her own name, from now on.
		var decided struct {
			RecordConsents struct {
				Individual struct{ ID string }
				Consents   []struct{ Method, Source string }
				States     []struct{ Permitted bool }
			}
		}
		h.gets(own, "", `mutation { recordConsents(input: {individual: {userId: "zq-ann"}, consents: [{purpose: "marketing", decision: GRANTED}]}) { individual { id } consents { method source } states { permitted } } }`, nil, &decided)
		d := decided.RecordConsents
		if d.Individual.ID != ann || len(d.Consents) != 1 || d.Consents[0].Method != "PREFERENCE_CENTRE" || !d.States[0].Permitted {
			t.Errorf("recording says %+v", d)
		}
		marketing := func() int {
			t.Helper()
			var found struct{ Individuals struct{ TotalCount int } }
			h.gets(h.token("individuals:read"), "marketing", `{ individuals(first: 1) { totalCount } }`, nil, &found)
			return found.Individuals.TotalCount
		}
		if n := marketing(); n != 1 {
			t.Errorf("marketing sees %d, want her", n)
		}
		var taken struct {
			WithdrawConsent struct {
				Consents []struct{ Method, Decision string }
				Receipt  json.RawMessage
			}
			Object  struct{ Request struct{ Kind string } }
			Rectify struct {
				Request struct{ Kind, RequestedBy string }
			}
		}
		h.gets(own, "", `mutation {
			withdrawConsent(input: {individual: {id: "`+ann+`"}, purposes: ["marketing"], reason: "enough"}) { consents { method decision } receipt }
			object(input: {individual: {email: "zq-ann@example.com"}, purposes: ["analytics"], reason: "no"}) { request { kind } }
			rectify(input: {individual: {anonymousId: "zq-ann-browser"}, traits: {nickname: "zq-ann herself"}, reason: "it is wrong"}) { request { kind requestedBy } }
		}`, nil, &taken)
		if w := taken.WithdrawConsent; len(w.Consents) != 1 || w.Consents[0].Method != "PREFERENCE_CENTRE" || w.Consents[0].Decision != "WITHDRAWN" || taken.Object.Request.Kind != "OBJECTION" || taken.Rectify.Request.Kind != "RECTIFICATION" || taken.Rectify.Request.RequestedBy != store.Themselves {
			t.Errorf("%+v", taken)
		}
		verdict, err := receipt.Verify(taken.WithdrawConsent.Receipt, h.store.ReceiptKey().Public())
		if err != nil || verdict.Receipt.Individual != ann || verdict.Receipt.RequestedBy != store.Themselves {
			t.Errorf("the receipt: %v, %+v", err, verdict.Receipt)
		}
		if n := marketing(); n != 0 {
			t.Errorf("marketing sees %d after she took it back", n)
		}
		if r := h.track("track", `{"anonymousId":"zq-ann-browser","messageId":"zq-ann-5","event":"visit"}`); !strings.Contains(r.body, `"withheld":true`) {
			t.Errorf("after she objected, an event is answered %s", r.body)
		}

		// She takes her archive, which is no entry of the log.
		var mine struct{ RequestExport struct{ URL string } }
		h.gets(own, "", `mutation { requestExport(input: {individual: {userId: "zq-ann"}, kind: PORTABILITY}) { url } }`, nil, &mine)
		files := h.download(mine.RequestExport.URL)
		for name, text := range files {
			if strings.Contains(text, "zq-bob") || strings.Contains(text, bob) {
				t.Errorf("%s of her archive tells of bob", name)
			}
		}
		if !strings.Contains(files["traits.json"], "zq-ann herself") || !strings.Contains(files["interactions.json"], "zq-ann-4") || !strings.Contains(files["consents.json"], "enough") {
			t.Errorf("her archive lacks something: %v", slices.Sorted(maps.Keys(files)))
		}
		again, _ := look()
		shown["operator query marketing"] = 1 // which looked for whom it covers
		if now := accesses(again.AccessLog.Nodes); !maps.Equal(now, shown) {
			t.Errorf("what she looks at herself is in the log: %v", now)
		}
		if again.Interactions.TotalCount != 4 || again.Consents.TotalCount != 4 || again.Consent.Status != "WITHDRAWN" || len(again.Requests) != 5 {
			t.Errorf("she sees %+v", again)
		}

		// She follows what happens to her, and nobody else.
		h.gets(own, "", `mutation { recordConsents(input: {individual: {userId: "zq-ann"}, consents: [{purpose: "analytics", decision: GRANTED}]}) { consents { id } } }`, nil, new(any))
		hers := func(hear func() string) func() string {
			return func() string {
				text := hear()
				if strings.Contains(text, "zq-bob") || strings.Contains(text, bob) {
					t.Errorf("she hears %s", text)
				}
				return text
			}
		}
		heard := hers(h.stream(ctx, own, "", `subscription { interactions { messageId individual { id } } }`))
		h.begins(heard, func(n int) {
			h.visit("zq-bob-browser", fmt.Sprintf("zq-bob-hello-%d.", n))
			h.visit("zq-ann-browser", fmt.Sprintf("hello-%d.", n))
		})
		told := hers(h.stream(ctx, own, "", `subscription { consentChanges { evidence } }`))
		decides := func(who, text string) {
			h.gets(h.token("consent:write"), "", `mutation($who: IndividualLookup!, $e: JSON) { recordConsents(input: {individual: $who, consents: [{purpose: "personalization", decision: DENIED, evidence: $e}]}) { consents { id } } }`,
				map[string]any{"who": map[string]any{"userId": who}, "e": map[string]any{"said": text}}, new(any))
		}
		h.begins(told, func(n int) {
			decides("zq-bob", fmt.Sprintf("zq-bob-hello-%d.", n))
			decides("zq-ann", fmt.Sprintf("hello-%d.", n))
		})
		h.visit("zq-bob-browser", "zq-bob-6")
		h.visit("zq-ann-browser", "zq-ann-6")
		decides("zq-bob", "zq-bob-6")
		decides("zq-ann", "zq-ann-6")
		for _, hear := range []func() string{heard, told} {
			if got := hear(); !strings.Contains(got, "zq-ann-6") {
				t.Errorf("she hears %s", got)
			}
		}

		// She has herself erased.
		before := h.dossier("zq-bob")
		var gone struct {
			Erase struct {
				Request struct{ Kind, RequestedBy string }
				Receipt json.RawMessage
			}
		}
		h.gets(own, "", `mutation { erase(input: {individual: {userId: "zq-ann"}, reason: "I want to"}) { request { kind requestedBy } receipt } }`, nil, &gone)
		verdict, err = receipt.Verify(gone.Erase.Receipt, h.store.ReceiptKey().Public())
		if err != nil || verdict.Receipt.Kind != receipt.KindErasure || verdict.Receipt.Individual != ann || verdict.Receipt.Residue == nil || verdict.Receipt.Residue.Found != 0 || verdict.Receipt.RequestedBy != store.Themselves {
			t.Errorf("the receipt: %v, %+v", err, verdict.Receipt)
		}
		h.sightless(own, ann)
		for _, url := range []string{asked.RequestExport.URL, mine.RequestExport.URL} {
			if r := h.send(get(url)); r.status != http.StatusNotFound {
				t.Errorf("her archive is answered %d", r.status)
			}
		}
		// Whoever comes again by her name is somebody new, of whom her token sees nothing.
		back := h.knows("zq-ann")
		if back == ann {
			t.Error("who comes by her name has her id")
		}
		h.sightless(own, back)
		for _, hear := range []func() string{heard, told} {
			if got := hear(); strings.Contains(got, "zq-") {
				t.Errorf("after she was erased she hears %s", got)
			}
		}
		if after := h.dossier("zq-bob"); after != before {
			t.Errorf("bob has changed from %s to %s", before, after)
		}
		if v, err := h.store.Verify(t.Context(), nil); err != nil || v.Total > 0 {
			t.Errorf("verify: %v %+v", err, v)
		}
	})
}

// sightless wants a token of somebody who is no more to see nothing, and to do nothing to
// somebody.
func (h *house) sightless(own, somebody string) {
	h.t.Helper()
	data, faults := h.asks(own, "", `{ viewer { `+everything+` } }`, nil)
	if string(data) != `{"viewer":{"individual":null}}` || len(faults) > 0 {
		h.t.Errorf("the token of one who was erased sees %s %v", data, faults)
	}
	for _, q := range []string{
		`{ individuals { nodes { id } } }`, `{ individual(by: {userId: "zq-ann"}) { id } }`, `{ individual(by: {id: "` + somebody + `"}) { id } }`, `{ node(id: "` + somebody + `") { id } }`,
		`mutation { erase(input: {individual: {userId: "zq-ann"}, reason: "x"}) { request { id } } }`, `mutation { requestExport(input: {individual: {id: "` + somebody + `"}}) { url } }`,
		`mutation { recordConsents(input: {individual: {userId: "zq-ann"}, consents: [{purpose: "marketing", decision: GRANTED}]}) { consents { id } } }`,
	} {
		data, faults := h.asks(own, "", q, nil)
		if strings.Contains(string(data), "_") || len(faults) != 1 && string(data) != `{"node":null}` || len(faults) == 1 && faults[0].Extensions.Code != "NOT_FOUND" && faults[0].Extensions.Code != "FORBIDDEN" {
			h.t.Errorf("the token of one who was erased asks %s and gets %s %+v", q, data, faults)
		}
	}
}

// dossier is everything that is held of somebody but who was shown it.
func (h *house) dossier(user string) string {
	h.t.Helper()
	individual := strings.Replace(everything, `accessLog(first: 100) { totalCount nodes { subject operation purpose { key } at } }`, "", 1)
	var all any
	h.gets(h.token("individuals:read"), "service", `{ `+strings.Replace(individual, "individual", `individual(by: {userId: "`+user+`"})`, 1)+` }`, nil, &all)
	text, err := json.Marshal(all)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// TestOwnTokenSeesNobodyElse: whatever is asked with an own token, of whomever, by
// whichever field, is answered as if there were nobody else: to the letter as it is
// answered of somebody who never was.
func TestOwnTokenSeesNobodyElse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		ann, bob := h.knows("zq-ann"), h.knows("zq-bob")
		own := h.own(ann)
		officer := h.token("admin")

		// They were taken for one once.
		var merged struct {
			Merge struct{ Link struct{ ID string } }
		}
		h.gets(officer, "service", `mutation { merge(input: {into: {userId: "zq-ann"}, from: {userId: "zq-bob"}, reason: "one address"}) { link { id } } }`, nil, &merged)
		h.gets(officer, "service", `mutation($id: ID!) { unmerge(input: {links: [$id], reason: "two people"}) { individuals { id } } }`, map[string]any{"id": merged.Merge.Link.ID}, new(any))

		h.gets(officer, "service", `mutation { createSegment(input: {key: "zq-all", name: "All", purpose: "service", rule: {everyone: true}}) { segment { id } } }`, nil, new(any))
		for more := true; more; {
			var err error
			if more, err = h.store.Draft(t.Context()); err != nil {
				t.Fatal(insight.Detail(err))
			}
		}

		// What there is of bob, by the type that it has.
		var found struct {
			Individual struct {
				ID                               string
				Links                            []struct{ ID string }
				Sessions, Interactions, Consents struct{ Nodes []struct{ ID string } }
				Requests, Memberships            []struct{ ID string }
			}
			Channels []struct{ ID string }
			Sources  []struct{ ID string }
			Purposes []struct{ ID string }
		}
		h.gets(officer, "service", `{ individual(by: {userId: "zq-bob"}) { id links { id } sessions { nodes { id } } interactions { nodes { id } } consents { nodes { id } } requests { id } memberships { id } } channels { id } sources { id } purposes { id } }`, nil, &found)
		i := found.Individual
		if i.ID != bob {
			t.Fatalf("bob is %s now, and was %s", i.ID, bob)
		}
		theirs := map[string]string{
			"Individual": i.ID, "IdentityLink": i.Links[0].ID, "Session": i.Sessions.Nodes[0].ID, "Interaction": i.Interactions.Nodes[0].ID, "Consent": i.Consents.Nodes[0].ID, "Request": i.Requests[0].ID, "Membership": i.Memberships[0].ID,
		}
		nobodys := map[string]bool{"Channel": true, "Source": true, "Purpose": true, "Segment": true, "Experience": true} // are no data of anybody
		h.listed("type of a node", `{ __type(name: "Node") { possibleTypes { name } } }`, "possibleTypes", func(name string) bool { return theirs[name] != "" || nobodys[name] })

		ways := map[string][2]any{ // of naming bob, and nobody
			"id": {bob, "ind_01j2jy8kavfgx9p7hfdp57rqgg"}, "userId": {"zq-bob", "zq-nobody"}, "anonymousId": {"zq-bob-browser", "zq-nobody-browser"}, "email": {"zq-bob@example.com", "zq-nobody@example.com"},
			"phone": {"+442079460001", "+442079460099"}, "external": {map[string]any{"kind": "crm", "value": "zq-bob-crm"}, map[string]any{"kind": "crm", "value": "zq-nobody-crm"}},
		}
		h.listed("way to name somebody", `{ __type(name: "IndividualLookup") { inputFields { name } } }`, "inputFields", func(name string) bool { return ways[name][0] != nil })

		// Every root field, and how it is asked for somebody; "" for what is of nobody. Those
		// that a variable $who, $id or $ids names are asked in every way.
		fields := map[string][]string{
			"Query.node":  {`query($id: ID!) { node(id: $id) { __typename id } }`},
			"Query.nodes": {`query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`},
			"Query.individual": {
				`query($who: IndividualLookup!) { individual(by: $who) { id } }`,
			},
			"Query.individuals": {
				`{ individuals(first: 100) { totalCount nodes { ` + strings.TrimSuffix(strings.TrimPrefix(everything, "individual {"), "}") + ` } } }`,
				`{ individuals(where: {trait: {key: "nickname", op: EQ, value: "zq-bob the person"}}) { totalCount nodes { id } } }`,
				`{ individuals(where: {event: {types: ["zq-bob bought"]}}) { totalCount nodes { id } } }`,
				`{ individuals(where: {event: {types: ["zq-ann bought"]}}, orderBy: {field: FIRST_SEEN_AT, direction: ASC}) { totalCount nodes { id } } }`,
				`{ individuals(where: {identified: true}, last: 100) { totalCount edges { cursor node { identifiers { value } } } } }`,
			},
			"Query.viewer":   {`{ viewer { subject scopes purposes ` + everything + ` } }`},
			"Query.purposes": {""}, "Query.channels": {""},
			"Query.segment":        {`{ segment(key: "zq-all") { size members(first: 10) { nodes { id individual { id } } } } }`},
			"Query.segments":       {`{ segments(first: 10) { nodes { size members(first: 10) { totalCount } } } }`},
			"Query.segmentPreview": {`{ segmentPreview(rule: {everyone: true}, purpose: "service") { size withheld sample(first: 10) { id } } }`},
			"Query.destinations":   {`{ destinations { deliveries(first: 1) { nodes { id } } } }`},
			"Query.sources":        {`{ sources { name } }`},
			"Query.insights":       {`{ insights { consents { population purposes { statuses { individuals } } } } }`},

			"Mutation.identify":           {`mutation($who: IndividualLookup!) { identify(input: {userId: "zq-bob", anonymousId: "zq-ann-browser"}) { individual { id } } recordConsents(input: {individual: $who, consents: []}) { individual { id } } }`},
			"Mutation.recordInteractions": {`mutation { recordInteractions(input: {interactions: [{messageId: "x", userId: "zq-bob", type: "x", occurredAt: "2026-03-01T10:00:00Z"}]}) { accepted } }`},
			"Mutation.merge":              {`mutation($who: IndividualLookup!) { merge(input: {into: {userId: "zq-ann"}, from: $who, reason: "x"}) { individual { id } } }`},
			"Mutation.unmerge":            {`mutation($id: ID!) { unmerge(input: {links: [$id], reason: "x"}) { individuals { id } } }`},
			"Mutation.createSource":       {`mutation { createSource(input: {name: "x"}) { writeKey } }`},
			"Mutation.definePurpose":      {`mutation { definePurpose(input: {key: "service", name: "x", description: "", legalBasis: CONSENT}) { purpose { key } } }`},
			"Mutation.recordConsents":     {`mutation($who: IndividualLookup!) { recordConsents(input: {individual: $who, consents: [{purpose: "marketing", decision: GRANTED}]}) { individual { id } consents { id } receipt } }`},
			"Mutation.withdrawConsent":    {`mutation($who: IndividualLookup!) { withdrawConsent(input: {individual: $who, purposes: ["personalization"]}) { individual { id } consents { id } receipt } }`},
			"Mutation.requestExport":      {`mutation($who: IndividualLookup!) { requestExport(input: {individual: $who}) { url receipt } }`},
			"Mutation.erase":              {`mutation($who: IndividualLookup!) { erase(input: {individual: $who, reason: "x"}) { receipt } }`},
			"Mutation.rectify":            {`mutation($who: IndividualLookup!) { rectify(input: {individual: $who, traits: {nickname: "x"}}) { individual { id } receipt } }`},
			"Mutation.object":             {`mutation($who: IndividualLookup!) { object(input: {individual: $who}) { receipt } }`},

			"Mutation.createSegment":           {`mutation { createSegment(input: {key: "x", name: "x", purpose: "service", rule: {everyone: true}}) { segment { size } } }`},
			"Mutation.updateSegment":           {`mutation { updateSegment(input: {segment: "zq-all", name: "x"}) { segment { size } } }`},
			"Mutation.archiveSegment":          {`mutation { archiveSegment(input: {segment: "zq-all"}) { segment { size } } }`},
			"Query.experience":                 {`{ experience(key: "zq-all") { key } }`},
			"Query.experiences":                {`{ experiences { key } }`},
			"Mutation.createExperience":        {`mutation { createExperience(input: {key: "zq", name: "x", purpose: "service", variants: [{key: "a", benefit: "b"}]}) { experience { id } } }`},
			"Mutation.updateExperience":        {`mutation { updateExperience(input: {experience: "zq", name: "y"}) { experience { id } } }`},
			"Mutation.archiveExperience":       {`mutation { archiveExperience(input: {experience: "zq"}) { experience { id } } }`},
			"Mutation.decide":                  {`mutation { decide(input: {experience: "zq", individual: {userId: "zq-bob"}}) { reason individualId } }`},
			"Mutation.recordDecisions":         {`mutation { recordDecisions(input: {experience: "zq", decisions: [{messageId: "m", userId: "zq-bob", decidedAt: "2026-03-01T00:00:00Z"}]}) { accepted } }`},
			"Mutation.deleteDestination":       {`mutation { deleteDestination(input: {id: "dst_01j2jy8kavfgx9p7hfdp57rqgg"}) { id } }`},
			"Mutation.createDestination":       {`mutation { createDestination(input: {name: "x", url: "https://example.com", purpose: "service"}) { secret } }`},
			"Mutation.updateDestination":       {`mutation { updateDestination(input: {id: "dst_01j2jy8kavfgx9p7hfdp57rqgg"}) { destination { id } } }`},
			"Mutation.rotateDestinationSecret": {`mutation { rotateDestinationSecret(input: {id: "dst_01j2jy8kavfgx9p7hfdp57rqgg"}) { secret } }`},
			"Mutation.enableDestination":       {`mutation { enableDestination(input: {id: "dst_01j2jy8kavfgx9p7hfdp57rqgg"}) { destination { id } } }`},
			"Mutation.redeliver":               {`mutation { redeliver(input: {id: "dlv_01j2jy8kavfgx9p7hfdp57rqgg"}) { id } }`},
			"Subscription.membershipChanges":   {""},

			"Subscription.interactions":   {""}, // followed in TestOwnToken and TestOwnTokenWhenPeoplePart
			"Subscription.consentChanges": {""},
		}
		for _, root := range []string{"Query", "Mutation", "Subscription"} {
			h.listed("field of "+root, `{ __type(name: "`+root+`") { fields { name } } }`, "fields", func(name string) bool { return fields[root+"."+name] != nil })
		}

		before := h.dossier("zq-bob")
		asked := 0
		ask := func(field, query string, variables map[string]any) string {
			t.Helper()
			asked++
			data, faults := h.asks(own, "marketing", query, variables)
			answer, err := json.Marshal(struct {
				Data   json.RawMessage
				Faults []fault
			}{data, faults})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range append(slices.Collect(maps.Values(theirs)), "zq-bob") {
				if strings.Contains(string(answer), s) {
					t.Errorf("%s tells %s: %s %v: %s", field, s, query, variables, answer)
				}
			}
			return string(answer)
		}
		same := func(field, query string, his, nobody map[string]any) {
			t.Helper()
			if a, b := ask(field, query, his), ask(field, query, nobody); a != b {
				t.Errorf("%s of bob is answered %s, and of nobody %s", field, a, b)
			}
		}
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			for _, query := range fields[field] {
				switch {
				case query == "":
				case strings.Contains(query, "$who:"):
					for way, by := range ways {
						same(field, query, map[string]any{"who": map[string]any{way: by[0]}}, map[string]any{"who": map[string]any{way: by[1]}})
					}
				case strings.Contains(query, "$id:"), strings.Contains(query, "$ids:"):
					for _, id := range theirs {
						absent := id[:4] + "01j2jy8kavfgx9p7hfdp57rqgg"
						same(field, query, map[string]any{"id": id, "ids": []string{id}}, map[string]any{"id": absent, "ids": []string{absent}})
					}
				default:
					ask(field, query, nil)
				}
			}
		}
		if after := h.dossier("zq-bob"); after != before {
			t.Errorf("bob has changed from %s to %s", before, after)
		}
		var log struct {
			Individual struct{ AccessLog struct{ Nodes []access } }
		}
		h.gets(officer, "service", `{ individual(by: {userId: "zq-bob"}) { accessLog(first: 100) { nodes { subject } } } }`, nil, &log)
		for _, entry := range log.Individual.AccessLog.Nodes {
			if entry.Subject != "operator" {
				t.Errorf("%q was shown his data, by his log", entry.Subject)
			}
		}
		t.Logf("%d questions", asked)
	})
}

// listed wants everything that the schema has in a place to be known to a test.
func (h *house) listed(what, query, list string, known func(name string) bool) {
	h.t.Helper()
	var answer struct {
		Type map[string][]struct{ Name string } `json:"__type"`
	}
	h.gets(h.token("admin"), "", query, nil, &answer)
	if len(answer.Type[list]) == 0 {
		h.t.Fatalf("there is no %s", what)
	}
	for _, one := range answer.Type[list] {
		if !known(one.Name) {
			h.t.Errorf("the %s %s is new: say here how an own token may not see others by it", what, one.Name)
		}
	}
}

// TestOwnTokenWhenPeoplePart: who was taken for one with somebody, follows that one; once
// it is found out that they are two, they follow themselves alone.
func TestOwnTokenWhenPeoplePart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a broken test ends
		defer cancel()
		ann, bob := h.knows("zq-ann"), h.knows("zq-bob")
		officer := h.token("admin")
		var merged struct {
			Merge struct {
				Individual struct{ ID string }
				Link       struct{ ID string }
			}
		}
		h.gets(officer, "service", `mutation { merge(input: {into: {userId: "zq-ann"}, from: {userId: "zq-bob"}, reason: "one address"}) { individual { id } link { id } } }`, nil, &merged)
		guest, host := bob, "zq-ann" // who was merged away, and the name of who survived
		if merged.Merge.Individual.ID == bob {
			guest, host = ann, "zq-bob"
		}
		name := map[string]string{"zq-ann": "zq-bob", "zq-bob": "zq-ann"}[host]
		decides := func(who, text string) {
			h.gets(officer, "", `mutation($who: IndividualLookup!, $e: JSON) { recordConsents(input: {individual: $who, consents: [{purpose: "personalization", decision: DENIED, evidence: $e}]}) { consents { id } } }`,
				map[string]any{"who": map[string]any{"userId": who}, "e": map[string]any{"said": text}}, new(any))
		}
		heard := h.stream(ctx, h.own(guest), "", `subscription { interactions { messageId properties individual { id identifiers { value } } } }`)
		h.begins(heard, func(n int) { h.visit("zq-ann-browser", fmt.Sprintf("hello-%d.", n)) })
		told := h.stream(ctx, h.own(guest), "", `subscription { consentChanges { evidence } }`)
		h.begins(told, func(n int) { decides("zq-ann", fmt.Sprintf("hello-%d.", n)) })

		h.gets(officer, "service", `mutation($id: ID!) { unmerge(input: {links: [$id], reason: "two people"}) { individuals { id } } }`, map[string]any{"id": merged.Merge.Link.ID}, new(any))
		h.visit(host+"-browser", "of-the-host")
		h.visit(name+"-browser", "of-the-guest")
		decides(host, "of-the-host")
		decides(name, "of-the-guest")
		for what, hear := range map[string]func() string{"interactions": heard, "decisions": told} {
			got := hear()
			for strings.Contains(got, "hello") || strings.Contains(got, "carriedOver") { // what was said for both before
				got = hear()
			}
			if !strings.Contains(got, "of-the-guest") || strings.Contains(got, host) {
				t.Errorf("of %s, the guest hears %s after they parted", what, got)
			}
		}
		data, faults := h.asks(h.own(guest), "", `{ viewer { `+everything+` } }`, nil)
		if len(faults) > 0 || strings.Contains(string(data), host+"\"") || strings.Contains(string(data), host+"@") || !strings.Contains(string(data), name) {
			t.Errorf("the guest sees %s %v", data, faults)
		}
	})
}
