package receipt_test

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/acquaint/acquaint/insight/receipt"
)

func ExampleVerify() {
	// The seed is drawn at random once, and kept secret. What is published is:
	key, _ := receipt.NewKey(bytes.Repeat([]byte{1}, 32))
	fmt.Println(key.ID())

	document, _ := key.Sign(receipt.Receipt{
		ID: "req_01j2jy8kavfgx9p7hfdp57rqgg", Kind: receipt.KindErasure, Issuer: "Example Ltd",
		IssuedAt:   time.Date(2026, 5, 2, 9, 30, 0, 0, time.UTC),
		Individual: "ind_01j2jy8kavfgx9p7hfdp57rqgg", RequestedBy: "support",
		Tables: []receipt.Table{
			{Table: "identifiers", Action: receipt.ActionDeleted, Rows: 3},
			{Table: "interactions", Action: receipt.ActionDeleted, Rows: 14},
			{Table: "orders", Action: receipt.ActionKept, Rows: 1, Note: "the law asks for it"},
		},
		Residue: &receipt.Residue{Scanned: []string{"identifiers", "interactions"}, How: "every column, for each identifier"},
	})

	verdict, _ := receipt.Verify(document, key.ID())
	fmt.Println(strings.Join(verdict.Describe(), "\n"))

	changed := bytes.Replace(document, []byte("14"), []byte("13"), 1)
	_, err := receipt.Verify(changed, key.ID())
	fmt.Println(err)
	// Output:
	// 34750f98bd59fcfc
	// This is a receipt for the erasure of personal data: req_01j2jy8kavfgx9p7hfdp57rqgg.
	// Issued by Example Ltd at 2026-05-02T09:30:00Z.
	// About ind_01j2jy8kavfgx9p7hfdp57rqgg, asked for by support.
	// Table identifiers: 3 rows deleted.
	// Table interactions: 14 rows deleted.
	// Table orders: 1 row kept (the law asks for it).
	// Afterwards 2 tables were searched (identifiers, interactions): 0 rows still told of the person.
	// How it was searched: every column, for each identifier
	// Signed by the key 34750f98bd59fcfc (Ed25519, iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=).
	// This is the trusted key: who holds it said this, and nothing was changed since. That it was done as it says, the signature does not prove.
	// receipt: the signature does not fit what it says
}

func ExampleVerifyLedger() {
	faults, err := receipt.VerifyLedger([]byte(`{
		"heads": [{"ledger": "0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10", "length": 2, "last": "con_01j2jy8kavfgx9p7hfdp57rqgg", "hash": "c0ffee"}],
		"records": []
	}`))
	fmt.Println(faults, err)
	// Output: [ledger 0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10: its head knows of 2 records, and none are there] <nil>
}
