package consent

import (
	"errors"
	"strings"

	"github.com/prebid/go-gdpr/consentconstants"
	tcf2 "github.com/prebid/go-gdpr/vendorconsent/tcf2" // the folder's name is not the package's

	"github.com/acquaint/acquaint/insight"
)

var (
	errTCF1   = errors.New("it is a TCF v1 string, which ceased to be valid in 2020: version 2 is expected")
	errNotTCF = errors.New("it is not a TCF v2 string that can be read")
)

// parseTCF reads the core segment of a TCF v2 string: which purposes the person
// consented to, and for which a legitimate interest was made known to them and not
// objected to. Vendors and publishers' restrictions are not for us to interpret. Its
// errors are messages for whoever sent it, and quote nothing.
//
// The format is IAB Europe's "Transparency and Consent String with Global Vendor &
// CMP List Formats", version 2.
func parseTCF(text string) (*insight.TCFSignal, error) {
	// The first character is the first six bits, and they are the version.
	switch {
	case strings.HasPrefix(text, "B"):
		return nil, errTCF1
	case !strings.HasPrefix(text, "C"):
		return nil, errNotTCF
	}
	signal, err := guarded(coreTCF, text)
	if err != nil {
		return nil, errNotTCF
	}
	return signal, nil
}

func coreTCF(text string) (*insight.TCFSignal, error) {
	parsed, err := tcf2.ParseString(text)
	if err != nil {
		return nil, err
	}
	// The interface that it returns does not tell of legitimate interests.
	core, ok := parsed.(tcf2.ConsentMetadata)
	if !ok {
		return nil, errUnreadable
	}
	signal := &insight.TCFSignal{Text: text, PolicyVersion: int(core.TCFPolicyVersion())}
	for n := 1; n < len(signal.Consent); n++ {
		signal.Consent[n] = core.PurposeAllowed(consentconstants.Purpose(n))
		signal.LegitimateInterest[n] = core.PurposeLITransparency(consentconstants.Purpose(n))
	}
	return signal, nil
}
