package consent_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// Ann grants marketing on 1 May, until 1 June, and withdraws on 3 May, which is
// recorded on 4 May.
func Example() {
	may := func(day int) time.Time { return time.Date(2026, 5, day, 0, 0, 0, 0, time.UTC) }
	marketing := &insight.Purpose{ID: uuid.UUID{1}, Key: "marketing", LegalBasis: insight.BasisConsent}
	ann := uuid.UUID{2} // the key of her account

	granted := &insight.Consent{
		ID: uuid.UUID{3}, Owner: ann, Purpose: marketing, Decision: insight.ConsentGranted,
		EffectiveAt: may(1), RecordedAt: may(1), ExpiresAt: may(32), Source: "shop", Method: insight.MethodBanner,
	}
	withdrawn := &insight.Consent{
		ID: uuid.UUID{4}, Owner: ann, Purpose: marketing, Decision: insight.ConsentWithdrawn,
		EffectiveAt: may(3), RecordedAt: may(4), Source: "letters", Method: insight.MethodDeclared,
	}
	ledger := []*insight.Consent{granted, withdrawn}

	fmt.Println("on 3 May, by what we knew on 3 May:", consent.InForce(marketing, ledger, may(3), may(3)).Because)
	fmt.Println("on 3 May, by what we knew on 4 May:", consent.InForce(marketing, ledger, may(3), may(4)).Because)

	// Had she not withdrawn:
	fmt.Println("it would have ended:", consent.Lapse([]*insight.Purpose{marketing}, ledger[:1], may(3)))
	// Output:
	// on 3 May, by what we knew on 3 May: granted from 2026-05-01T00:00:00Z on (BANNER, told by shop)
	// on 3 May, by what we knew on 4 May: withdrawn from 2026-05-03T00:00:00Z on (DECLARED, told by letters)
	// it would have ended: 2026-06-01 00:00:00 +0000 UTC
}

func ExampleCheck() {
	at := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	var entries []consent.Entry
	head := consent.Head{Ledger: uuid.UUID{2}.String()}
	for n, decision := range []insight.ConsentDecision{insight.ConsentGranted, insight.ConsentWithdrawn} {
		c := &insight.Consent{
			ID: uuid.UUID{byte(n + 1)}, Owner: uuid.UUID{2}, Purpose: &insight.Purpose{Key: "marketing"}, Decision: decision,
			EffectiveAt: at, RecordedAt: at, Source: "shop", Method: insight.MethodDeclared,
		}
		consent.Seal(c, head.Length+1, head.Hash)
		entries = append(entries, consent.EntryOf(c))
		head.Length, head.Last, head.Hash = c.Sequence, entries[n].ID, c.Hash
	}
	fmt.Println("intact:", consent.Check(entries, head))

	entries[1].Decision = "GRANTED"
	fmt.Println("changed:", consent.Check(entries, head)[0])
	fmt.Println("removed:", consent.Check(entries[:1], head)[0])
	// Output:
	// intact: []
	// changed: con_02000000000000000000000000: record 2 was changed: its hash is not that of what it says
	// removed: con_02000000000000000000000000: the record number 2 at the end is missing
}
