package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/store"
)

// checked reads a receipt, which must be this store's, and be that of the request.
func (w *world) checked(q *insight.Request, signed json.RawMessage) receipt.Receipt {
	w.Helper()
	v := must(receipt.Verify(signed, w.ReceiptKey().Public()))(w)
	if !v.Pinned {
		w.Fatal("another key signed it")
	}
	sum := sha256.Sum256(signed)
	w.same("the request", []any{q.Digest, insight.FormatID(insight.RequestPrefix, q.ID), string(q.Kind), q.RequestedBy, q.CompletedAt.IsZero()},
		[]any{hex.EncodeToString(sum[:]), v.Receipt.ID, string(v.Receipt.Kind), v.Receipt.RequestedBy, false})
	return v.Receipt
}

func rowsOf(r receipt.Receipt, action receipt.Action) map[string]int {
	rows := map[string]int{}
	for _, t := range r.Tables {
		if t.Action == action {
			rows[t.Table] = t.Rows
		}
	}
	return rows
}

// testRequests: what somebody asks for is noted, proved, and told to whoever may read
// them.
func testRequests(w *world) {
	first := w.event(noon, "page", who("u1", "a1"))
	first.Traits = []insight.Observation{declared("plan", `"gold"`), declared("city", `"Bonn"`)}
	w.keep(first, w.event(after(1), "page", who("u1", "a1")), w.event(after(300), "page", who("u1", "d1")))
	w.happens(noon, "page", "u2")
	w.decides("u1", w.claim("marketing", yes, noon))
	id := w.whose("u1")
	w.request("clerk", "service", "query", func(r *store.Reader) { must(r.Find(w.ctx, by("u1")))(w) })

	q, signed, err := w.RequestExport(w.ctx, id, insight.RequestPortability, store.Asked{By: "lawyer"})
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	told := w.checked(q, signed)
	w.same("what it will hold", rowsOf(told, receipt.ActionExported), map[string]int{
		"identifiers": 3, "traits": 2, "sessions": 2, "interactions": 3, "consents": 1, "memberships": 0, "decisions": 0, "access_entries": 1, "requests": 0,
	})
	w.same("whose", told.Individual, insight.FormatID(insight.IndividualPrefix, id))
	w.same("where the ledger ends", len(told.Ledger), 1)

	r := w.readsFor("service")
	w.same("by its id", must(r.Request(w.ctx, q.ID))(w), q)
	ticket, until := "", time.Now().Add(time.Hour)
	ticket = w.Ticket(q.ID, until)
	w.same("by its ticket", must(w.Redeem(w.ctx, q.ID, until, ticket))(w), q)
	for _, c := range []struct {
		request uuid.UUID
		until   time.Time
		ticket  string
	}{
		{q.ID, until, ticket + "0"}, {q.ID, until, ""}, {q.ID, until.Add(time.Hour), ticket}, {uuid.New(), until, ticket},
		{q.ID, time.Now().Add(-time.Second), w.Ticket(q.ID, time.Now().Add(-time.Second))},
	} {
		_, err := w.Redeem(w.ctx, c.request, c.until, c.ticket)
		w.kind(err, insight.Denied, "ticket")
	}
	if _, _, err := w.RequestExport(w.ctx, uuid.New(), insight.RequestAccess, store.Asked{By: "lawyer"}); insight.KindOf(err) != insight.NotFound {
		w.Fatalf("an archive of nobody: %v", err)
	}

	// Newest first, under every id that they had, also after they became one with another.
	other, _, err := w.RequestExport(w.ctx, w.whose("u2"), insight.RequestAccess, store.Asked{By: store.Themselves})
	if err != nil {
		w.Fatal(err)
	}
	survivor, link, err := w.Merge(w.ctx, by("u1"), by("u2"), "the same")
	if err != nil {
		w.Fatal(err)
	}
	both := must(r.Requests(w.ctx, []uuid.UUID{survivor, uuid.New()}))(w)
	w.same("of one", both, map[uuid.UUID][]*insight.Request{survivor: {other, q}})
	must(w.Unmerge(w.ctx, []uuid.UUID{link}, "two after all"))(w)
	apart := must(r.Requests(w.ctx, []uuid.UUID{id, w.whose("u2")}))(w)
	w.same("of two", apart, map[uuid.UUID][]*insight.Request{id: {q}, w.whose("u2"): {other}})

	// Whoever may not read the individual may not read what they asked for.
	w.decides("u2", w.claim("analytics", no, noon))
	blind := w.readsFor("analytics")
	_, err = blind.Request(w.ctx, other.ID)
	w.kind(err, insight.Withheld, "request")
	w.same("withheld", len(must(blind.Requests(w.ctx, []uuid.UUID{w.whose("u2")}))(w)), 0)
	_, err = r.Request(w.ctx, uuid.New())
	w.kind(err, insight.NotFound, "request")
	self := must(w.Reader(w.ctx, &insight.Viewer{Subject: "u2", Scopes: []insight.Scope{insight.ScopeSelf}, Individual: w.whose("u2")}, nil))(w)
	w.same("their own", must(self.Request(w.ctx, other.ID))(w), other)
	_, err = self.Request(w.ctx, q.ID)
	w.kind(err, insight.NotFound, "request")

	// What is right of them from now on, by whichever id.
	fixed, signed, err := w.Rectify(w.ctx, id, []insight.Observation{declared("plan", `"iron"`), declared("shoe", `42`)}, store.Asked{By: "clerk", Reason: "they wrote"})
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	told = w.checked(fixed, signed)
	w.same("what was written", []any{rowsOf(told, receipt.ActionWritten), told.Reason}, []any{map[string]int{"traits": 2}, "they wrote"})
	shown := map[string]string{}
	for _, t := range insight.BestTraits(must(r.Traits(w.ctx, []uuid.UUID{id}))(w)[id]) {
		shown[t.Key] = string(t.Value)
	}
	w.same("what is known", shown, map[string]string{"plan": `"iron"`, "city": `"Bonn"`, "shoe": `42`})
	if _, _, err := w.Rectify(w.ctx, uuid.New(), []insight.Observation{declared("plan", `1`)}, store.Asked{By: "clerk"}); insight.KindOf(err) != insight.NotFound {
		w.Fatalf("what is right of nobody: %v", err)
	}

	// An objection is a decision, with its proof.
	against, signed, done, err := w.Object(w.ctx, id, []insight.Claim{w.claim("analytics", no, after(1)), w.claim("advertising", no, after(1))}, store.Asked{By: store.Themselves})
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	told = w.checked(against, signed)
	w.same("what was recorded", []any{rowsOf(told, receipt.ActionWritten), told.Ledger}, []any{map[string]int{"consents": 2}, done.Heads})
	w.same("it is in effect", w.sees("analytics", "u1"), "withheld")
	proof := must(receipt.Verify(must(w.ConsentReceipt(done, "clerk"))(w), w.ReceiptKey().Public()))(w).Receipt
	w.same("of the decisions alone", []any{proof.Kind, len(proof.Consents), proof.Evidence, proof.Ledger},
		[]any{receipt.KindConsent, 2, []consent.Entry{consent.EntryOf(done.Records[0]), consent.EntryOf(done.Records[1])}, done.Heads})
	w.sound()
}

// testErase: whoever is erased is gone, and those who stay are as if they had never
// been.
func testErase(w *world) {
	terms := store.ErasureTerms{Asked: store.Asked{By: "clerk", Reason: "they asked"}}
	w.happens(noon, "page", "u1", "d1")
	w.happens(after(1), "page", "u2", "d1") // a tablet that two share
	w.happens(after(2), "page", "u2", "e2")
	w.happens(after(3), "page", "e2", "a3") // and a browser that would join two
	w.happens(after(4), "page", "u4", "a3")
	w.apart("u1", "d1")
	two := w.whose("u2")
	for _, reason := range []string{"", "a\x00b"} {
		_, _, err := w.Erase(w.ctx, by("u2"), store.ErasureTerms{Asked: store.Asked{By: "clerk", Reason: reason}})
		w.kind(err, insight.Invalid, "reason")
	}
	q, signed, err := w.Erase(w.ctx, by("e2"), terms)
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	told := w.checked(q, signed)
	w.same("what was deleted", rowsOf(told, receipt.ActionDeleted), map[string]int{
		"interactions": 3, "sessions": 3, "traits": 0, "consents": 0, "ledgers": 0, "access_entries": 0, "identity_links": 3, "identifiers": 2, "individuals": 1,
		"memberships": 0, "decisions": 0, "membership_changes": 0,
	})
	w.same("what it says of whom", []any{told.Individual, told.Reason, told.Suppressed, told.Residue.Found, q.IndividualID}, []any{insight.FormatID(insight.IndividualPrefix, two), "they asked", 0, 0, uuid.Nil})
	w.together("u1", "d1") // nobody else shares it now
	w.together("u4", "a3")
	w.sound()
	for _, l := range []store.Lookup{by("u2"), by("e2"), {ID: two}} {
		_, _, err := w.Erase(w.ctx, l, terms)
		w.kind(err, insight.NotFound, "individual")
		_, err = w.readsFor("service").Find(w.ctx, l)
		w.kind(err, insight.NotFound, "individual")
	}
	kept := must(w.readsFor("service").Request(w.ctx, q.ID))(w)
	w.same("the request is nobody's", []any{kept.IndividualID, kept.Kind, kept.Digest}, []any{uuid.Nil, insight.RequestErasure, q.Digest})

	// Whoever is not kept out may come again, as somebody new.
	w.happens(after(10), "page", "u2", "e2")
	if w.whose("u2") == two {
		w.Fatal("somebody new has the id of who was erased")
	}
	w.sound()

	// By an id that was merged away; kept out from now on by every name.
	w.happens(noon, "page", "a5")
	old := w.whose("a5")
	w.happens(noon, "page", "u5", "p5")
	if _, _, err := w.Merge(w.ctx, by("u5"), by("a5"), "the same"); err != nil {
		w.Fatal(err)
	}
	asked, _, err := w.RequestExport(w.ctx, w.whose("u5"), insight.RequestAccess, store.Asked{By: "lawyer"})
	if err != nil {
		w.Fatal(err)
	}
	terms.Suppress = true
	q, signed, err = w.Erase(w.ctx, store.Lookup{ID: old}, terms)
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	w.same("kept out", w.checked(q, signed).Suppressed, 3)
	for _, name := range []string{"u5", "p5", "a5"} {
		said := w.event(after(30), "identify", who(name))
		said.Statement = true
		w.same("whatever comes of "+name, w.outcomes(w.event(after(20), "page", who(name)), said), "withheld withheld")
		_, err := w.RecordConsents(w.ctx, by(name), []insight.Claim{w.claim("marketing", no, noon)})
		w.kind(err, insight.Conflict, "individual")
		_, _, err = w.Merge(w.ctx, by("u1"), by(name), "the same")
		w.kind(err, insight.NotFound, "from")
	}
	w.same("with anybody", w.outcomes(w.event(after(20), "page", who("u6", "a5"))), "withheld")
	until := time.Now().Add(time.Hour)
	_, err = w.Redeem(w.ctx, asked.ID, until, w.Ticket(asked.ID, until))
	w.kind(err, insight.NotFound, "request")
	w.sound()
}
