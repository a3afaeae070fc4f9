package consent

import (
	"errors"
	"strings"

	"github.com/prebid/go-gpp/constants"
	"github.com/prebid/go-gpp/sections/uspca"
	"github.com/prebid/go-gpp/sections/uspco"
	"github.com/prebid/go-gpp/sections/uspct"
	"github.com/prebid/go-gpp/sections/uspnat"
	"github.com/prebid/go-gpp/sections/usput"
	"github.com/prebid/go-gpp/sections/uspva"
	"github.com/prebid/go-gpp/util"

	"github.com/acquaint/acquaint/insight"
)

// The opt-outs that are read of a GPP string, as its sections call them.
const (
	saleOptOut        = "SaleOptOut"
	sharingOptOut     = "SharingOptOut"
	advertisingOptOut = "TargetedAdvertisingOptOut"
)

// What an opt-out's field says. Nothing else is defined but 0: it does not apply.
const (
	optedOut       = 1
	didNotOptOut   = 2
	largestSection = 1<<16 - 1
)

var errNotGPP = errors.New("it is not a GPP string that can be read")

// parseGPP reads a GPP string: what its US sections say together, nil where they say
// nothing, and what its section tcfeu2 says, nil where it has none. Sections that
// are not known are left aside; one that is known and cannot be read makes the whole
// string unreadable. Its errors are messages for whoever sent it, and quote nothing.
//
// The format is IAB Tech Lab's "Global Privacy Platform", version 1: a header that
// lists the sections' numbers, and the sections in that order, with a ~ before each.
func parseGPP(text string) (*insight.GPPSignal, *insight.TCFSignal, error) {
	parts := strings.Split(text, "~")
	header, sections := parts[0], parts[1:]
	ids, err := guarded(func(header string) ([]constants.SectionID, error) { return sectionIDs(header, len(sections)) }, header)
	if err != nil {
		return nil, nil, errNotGPP
	}
	var tcf *insight.TCFSignal
	us := &insight.GPPSignal{Text: text, Fields: map[string]int{}}
	for i, id := range ids {
		if id == constants.SectionTCFEU2 {
			if tcf, err = parseTCF(sections[i]); err != nil {
				return nil, nil, unreadableSection("tcfeu2")
			}
			continue
		}
		known, ok := usSections[id]
		if !ok {
			continue
		}
		said, err := guarded(known.parse, sections[i])
		if err != nil || !restrict(us, said) {
			return nil, nil, unreadableSection(known.name)
		}
	}
	if len(us.Fields) == 0 && !us.GPC {
		us = nil
	}
	return us, tcf, nil
}

func unreadableSection(name string) error {
	return errors.New("its section " + name + " cannot be read")
}

// sectionIDs reads a GPP string's header: the numbers of the count sections that
// follow it.
//
// The parser of whole strings in go-gpp is not used, because its header can be made
// to take all time and memory: it works out the Fibonacci numbers by recursion, and
// does not come to an end with a range up to 65535. Here the sections that are there
// limit both.
func sectionIDs(header string, count int) ([]constants.SectionID, error) {
	bits, err := util.NewBitStreamFromBase64(header)
	if err != nil {
		return nil, err
	}
	kind, err1 := bits.ReadByte6()
	version, err2 := bits.ReadByte6()
	entries, err3 := bits.ReadUInt12()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if kind != byte(constants.SectionGPP) || version != 1 {
		return nil, errUnreadable
	}
	var ids []constants.SectionID
	last := 0
	for range entries {
		isRange, err := bits.ReadByte1()
		if err != nil {
			return nil, err
		}
		first, err := fibonacci(bits)
		if err != nil {
			return nil, err
		}
		first += last // each number is written as its distance from the one before
		last = first
		if isRange == 1 {
			length, err := fibonacci(bits)
			if err != nil {
				return nil, err
			}
			last += length
		}
		if last > largestSection || last-first >= count-len(ids) {
			return nil, errUnreadable
		}
		for id := first; id <= last; id++ {
			ids = append(ids, constants.SectionID(id))
		}
	}
	if len(ids) != count {
		return nil, errUnreadable
	}
	return ids, nil
}

// fibonacci reads a number in Fibonacci coding: the bits stand for 1, 2, 3, 5, 8 and
// so on, and a second 1 in succession ends it. It gives up after 32 bits, whose
// numbers are far beyond those of sections.
func fibonacci(bits *util.BitStream) (int, error) {
	sum, before := 0, byte(0)
	worth, next := 1, 2
	for range 32 {
		bit, err := bits.ReadByte1()
		if err != nil {
			return 0, err
		}
		if bit == 1 {
			if before == 1 {
				return sum, nil
			}
			sum += worth
		}
		before = bit
		worth, next = next, worth+next
	}
	return 0, errUnreadable
}

// optOuts is what one US section says.
type optOuts struct {
	fields map[string]byte
	gpc    bool
}

// restrict adds what one section says to what others said, of which the opt-out
// counts. It reports whether all of it is defined.
func restrict(us *insight.GPPSignal, said optOuts) bool {
	for name, value := range said.fields {
		switch value {
		case 0:
		case optedOut:
			us.Fields[name] = optedOut
		case didNotOptOut:
			if us.Fields[name] == 0 {
				us.Fields[name] = didNotOptOut
			}
		default:
			return false
		}
	}
	us.GPC = us.GPC || said.gpc
	return true
}

// usSection is how to read one of the US sections.
type usSection struct {
	name  string // as IAB calls it
	parse func(string) (optOuts, error)
}

// usSections are those that go-gpp decodes, and the US Privacy string before them.
// A section's version is not looked at: where there is a second one, as of usnat, it
// has the opt-outs in the same place, and to refuse a third would lose a no.
var usSections = map[constants.SectionID]usSection{
	constants.SectionUSPV1: {"uspv1", usPrivacy},
	constants.SectionUSPNAT: {"usnat", func(text string) (optOuts, error) {
		s, err := uspnat.NewUSPNAT(text)
		return optOuts{map[string]byte{saleOptOut: s.CoreSegment.SaleOptOut, sharingOptOut: s.CoreSegment.SharingOptOut, advertisingOptOut: s.CoreSegment.TargetedAdvertisingOptOut}, s.GPCSegment.Gpc}, err
	}},
	constants.SectionUSPCA: {"usca", func(text string) (optOuts, error) {
		s, err := uspca.NewUSPCA(text)
		return optOuts{map[string]byte{saleOptOut: s.CoreSegment.SaleOptOut, sharingOptOut: s.CoreSegment.SharingOptOut}, s.GPCSegment.Gpc}, err
	}},
	constants.SectionUSPVA: {"usva", func(text string) (optOuts, error) {
		s, err := uspva.NewUSPVA(text)
		return optOuts{map[string]byte{saleOptOut: s.CoreSegment.SaleOptOut, advertisingOptOut: s.CoreSegment.TargetedAdvertisingOptOut}, false}, err
	}},
	constants.SectionUSPCO: {"usco", func(text string) (optOuts, error) {
		s, err := uspco.NewUSPCO(text)
		return optOuts{map[string]byte{saleOptOut: s.CoreSegment.SaleOptOut, advertisingOptOut: s.CoreSegment.TargetedAdvertisingOptOut}, s.GPCSegment.Gpc}, err
	}},
	constants.SectionUSPUT: {"usut", func(text string) (optOuts, error) {
		s, err := usput.NewUSPUT(text)
		return optOuts{map[string]byte{saleOptOut: s.CoreSegment.SaleOptOut, advertisingOptOut: s.CoreSegment.TargetedAdvertisingOptOut}, false}, err
	}},
	constants.SectionUSPCT: {"usct", func(text string) (optOuts, error) {
		s, err := uspct.NewUSPCT(text)
		return optOuts{map[string]byte{saleOptOut: s.CoreSegment.SaleOptOut, advertisingOptOut: s.CoreSegment.TargetedAdvertisingOptOut}, s.GPCSegment.Gpc}, err
	}},
}

// usPrivacy reads a US Privacy string such as 1YNN: version 1, whether notice was
// given, whether the person opted out of the sale of their data, and whether a
// contract of the trade covers it; each is Y, N, or - where it does not apply.
func usPrivacy(text string) (optOuts, error) {
	text = strings.ToUpper(text)
	if len(text) != 4 || text[0] != '1' || strings.Trim(text[1:], "YN-") != "" {
		return optOuts{}, errUnreadable
	}
	sale := map[byte]byte{'Y': optedOut, 'N': didNotOptOut}[text[2]]
	return optOuts{fields: map[string]byte{saleOptOut: sale}}, nil
}
