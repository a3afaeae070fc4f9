package main

import (
	"errors"
	"io"
	"os"

	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/internal/progress"
	"github.com/acquaint/acquaint/store"
)

type verify struct {
	Consents bool   `help:"Only walk the ledgers of consent, and name what was changed, removed or moved."`
	Receipt  string `placeholder:"FILE" help:"Check a receipt, without the database."`
	Ledger   string `placeholder:"FILE" help:"Check a ledger that was exported (consents.json), without the database."`
	Key      string `placeholder:"KEY" help:"The key that must have signed the receipt: in base64, or its id. The server tells it at /v1/receipt-key."`
}

// Help says what is compared.
func (verify) Help() string {
	return "Who is whom, whose each interaction and trait is, every session and every individual's row are worked out anew " +
		"from the facts and compared with what is kept, and every ledger of consent is walked. The status is 1 when anything differs; the first differences are printed, by ids and without personal data."
}

// Run verifies the database.
func (v verify) Run(p *process) (err error) {
	switch {
	case v.Receipt != "":
		return p.verifyReceipt(v.Receipt, v.Key)
	case v.Key != "":
		return &usage{"--key", "it is for --receipt"}
	case v.Ledger != "":
		return p.verifyLedger(v.Ledger)
	}
	if err := p.configure(); err != nil {
		return err
	}
	s, err := p.openExisting()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if v.Consents {
		found, err := s.VerifyConsents(p.ctx)
		if err != nil {
			return err
		}
		return p.tell(found, "%s decisions", count(int64(found.Consents)))
	}
	work := progress.Start(p.stderr, "verifying", "interactions", 0)
	found, err := s.Verify(p.ctx, func(interactions int) { work.At(int64(interactions)) })
	work.End()
	if err != nil {
		return err
	}
	return p.tell(found, "%s individuals, %s identifiers, %s links, %s interactions, %s sessions, %s traits, %s decisions",
		count(int64(found.Individuals)), count(int64(found.Identifiers)), count(int64(found.Links)), count(int64(found.Interactions)),
		count(int64(found.Sessions)), count(int64(found.Traits)), count(int64(found.Consents)))
}

// tell prints what a verification found, and of what.
func (p *process) tell(v *store.Verification, of string, counts ...any) error {
	for _, d := range v.Differences {
		p.say("%s", d)
	}
	if more := v.Total - len(v.Differences); more > 0 {
		p.say("and %s more", count(int64(more)))
	}
	p.say(of+": %s differences", append(counts, count(int64(v.Total)))...)
	if v.Total > 0 {
		return errTold
	}
	return nil
}

// document reads a file that was handed out; - is standard input.
func (p *process) document(flag, name string) ([]byte, error) {
	in := p.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, &usage{flag, "the file cannot be read"}
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, largestDocument+1))
	if err != nil || len(text) > largestDocument {
		return nil, &usage{flag, "the file cannot be read, or is larger than 1 GB"}
	}
	return text, nil
}

// largestDocument is how much is read of a file.
const largestDocument = 1 << 30

// verifyReceipt checks a receipt by itself.
func (p *process) verifyReceipt(name, key string) error {
	text, err := p.document("--receipt", name)
	if err != nil {
		return err
	}
	verdict, err := receipt.Verify(text, key)
	if err != nil {
		p.say("the receipt is not genuine: %v", err)
		return errTold
	}
	for _, line := range verdict.Describe() {
		p.say("%s", line)
	}
	return nil
}

// verifyLedger checks an exported ledger by itself.
func (p *process) verifyLedger(name string) error {
	text, err := p.document("--ledger", name)
	if err != nil {
		return err
	}
	faults, err := receipt.VerifyLedger(text)
	if err != nil {
		return err
	}
	for _, fault := range faults {
		p.say("%s", fault)
	}
	if len(faults) > 0 {
		p.say("%s differences", count(int64(len(faults))))
		return errTold
	}
	p.say("the ledger is as it was written")
	return nil
}
