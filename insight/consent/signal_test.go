package consent_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gpp "github.com/prebid/go-gpp"
	"github.com/prebid/go-gpp/constants"
	"github.com/prebid/go-gpp/sections"
	"github.com/prebid/go-gpp/sections/uspva"
	"github.com/prebid/go-gpp/util"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/internal/script"
)

func TestSignals(t *testing.T) {
	script.Run(t, "testdata/signals/read.txt", func(q script.Question) ([]string, error) {
		s, err := consent.Read(jsonOf(q), q.Ask.Option("header") == "1")
		if err != nil && s == nil {
			return nil, err
		}
		return tellSignals(s), err
	})
}

// jsonOf puts the lines beneath a question together.
func jsonOf(q script.Question) json.RawMessage {
	var words []string
	for _, line := range q.Detail {
		words = append(words, line.Words...)
	}
	return json.RawMessage(strings.Join(words, " "))
}

func tellSignals(s *insight.Signals) []string {
	if s.IsZero() {
		return []string{"nothing"}
	}
	answer := map[bool]string{true: "yes", false: "no"}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.Categories)) {
		lines = append(lines, "category "+name+": "+answer[s.Categories[name]])
	}
	for _, name := range slices.Sorted(maps.Keys(s.ConsentMode)) {
		lines = append(lines, "consent mode "+name+": "+answer[s.ConsentMode[name]])
	}
	if s.TCF != nil {
		lines = append(lines, fmt.Sprintf("TCF %d %s", s.TCF.PolicyVersion, s.TCF.Text),
			"consent to "+numbers(s.TCF.Consent), "legitimate interest in "+numbers(s.TCF.LegitimateInterest))
	}
	if s.GPP != nil {
		lines = append(lines, "GPP "+s.GPP.Text)
		for _, name := range slices.Sorted(maps.Keys(s.GPP.Fields)) {
			lines = append(lines, fmt.Sprintf("%s %d", name, s.GPP.Fields[name]))
		}
		if s.GPP.GPC {
			lines = append(lines, "its GPC")
		}
	}
	if s.GPC {
		lines = append(lines, "GPC")
	}
	return lines
}

func numbers(set [25]bool) string {
	var all []string
	for n, in := range set {
		if in {
			all = append(all, strconv.Itoa(n))
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, " ")
}

// Nothing said is not nil, and nothing counts when something is wrong.
func TestReadNothing(t *testing.T) {
	for _, object := range []string{"", "null", " null ", "{}"} {
		if s, err := consent.Read(json.RawMessage(object), false); s == nil || !s.IsZero() || err != nil {
			t.Errorf("%q: %v, %v", object, s, err)
		}
	}
	if s, err := consent.Read(json.RawMessage(`{"gpc":true,"tcf":"?"}`), false); s != nil || err == nil {
		t.Errorf("%v, %v", s, err)
	}
	s, err := consent.Read(json.RawMessage(`{"categoryPreferences":{"A":true},"tcf":"?"}`), true)
	if diff := cmp.Diff(&insight.Signals{GPC: true}, s); diff != "" || insight.KindOf(err) != insight.Invalid {
		t.Errorf("%v\n%s", err, diff)
	}
}

func names(count int, value string) string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf(`"n%d":%s`, i, value)
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestReadBounds(t *testing.T) {
	long, longer := strings.Repeat("ä", 100), strings.Repeat("ä", 101)
	// A TCF string may be followed by segments that are not read, so that it can be made as long as one likes.
	text := func(bytes int) string {
		core := "COx3XOeOx3XOeLkAAAENAfCIAAAAAHgAAIAAAAAAAAAA."
		return core + strings.Repeat("A", bytes-len(core))
	}
	for name, c := range map[string]struct{ object, want string }{
		"100 categories":            {`{"categoryPreferences":` + names(100, "true") + `}`, ""},
		"101 categories":            {`{"categoryPreferences":` + names(101, "true") + `}`, "categoryPreferences: it has more than 100 names"},
		"101 of which none counts":  {`{"categoryPreferences":` + names(101, "null") + `}`, ""},
		"100 names of consent mode": {`{"consentMode":` + names(100, `"granted"`) + `}`, ""},
		"101 names of consent mode": {`{"consentMode":` + names(101, `"denied"`) + `}`, "consentMode: it has more than 100 names"},
		"100 and one outside":       {`{"consentMode":` + names(100, `"denied"`) + `,"ad_storage":"denied"}`, "consentMode: it has more than 100 names"},
		"100 characters":            {`{"categoryPreferences":{"` + long + `":true}}`, ""},
		"101 characters":            {`{"categoryPreferences":{"` + longer + `":"?"}}`, "categoryPreferences: a name has more than 100 characters"},
		"100 characters of mode":    {`{"consentMode":{"` + long + `":"denied"}}`, ""},
		"101 characters of mode":    {`{"consentMode":{"` + longer + `":"?"}}`, "consentMode: a name has more than 100 characters"},
		"8 KB of TCF":               {`{"tcf":"` + text(8192) + `"}`, ""},
		"more of TCF":               {`{"tcf":"` + text(8193) + `"}`, "tcf: it has more than 8192 bytes"},
		"8 KB of GPP":               {`{"gpp":"DBABM~` + text(8186) + `"}`, ""},
		"more of GPP":               {`{"gpp":"DBABM~` + text(8187) + `"}`, "gpp: it has more than 8192 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := consent.Read(json.RawMessage(c.object), false)
			if c.want == "" && (err != nil || s == nil) || c.want != "" && (err == nil || err.Error() != c.want || s != nil) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// refuse reads a string that cannot be read.
func refuse(t *testing.T, member, text, want string) {
	t.Helper()
	object, err := json.Marshal(map[string]string{member: text})
	if err != nil {
		t.Fatal(err)
	}
	s, err := consent.Read(object, false)
	var fault *insight.Error
	if s != nil || !errors.As(err, &fault) || fault.Kind != insight.Invalid || fault.Subject != member || fault.Message != want {
		t.Errorf("%v, %v, want %q", s, err, want)
	}
}

// With two vendors, and cut off right after how many there are of the second kind,
// prebid's parser looks one byte too far and panics.
func TestReadShortTCF(t *testing.T) {
	data := make([]byte, 31)
	data[0] = 2 << 2  // version
	data[16] = 1 << 4 // version of the list of vendors
	data[28] = 2 << 3 // vendors
	refuse(t, "tcf", base64.RawURLEncoding.EncodeToString(data), "it is not a TCF v2 string that can be read")
}

// A short header can name a great many sections, or one with a great number. Prebid's
// parser works on such for as long as there is time, or memory.
func TestReadGreatGPP(t *testing.T) {
	header := func(bits string) string {
		bits = "000011000001" + bits
		bits += strings.Repeat("0", 48-len(bits)%48)
		var text strings.Builder
		for i := 0; i < len(bits); i += 6 {
			digit, err := strconv.ParseUint(bits[i:i+6], 2, 8)
			if err != nil {
				t.Fatal(err)
			}
			text.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[digit])
		}
		return text.String()
	}
	one := "000000000001"
	for name, bits := range map[string]string{
		"a number of 90 digits":   one + "0" + strings.Repeat("0", 88) + "11",
		"1 to 65535":              one + "1" + "11" + fibonacciCode(t, 65534),
		"65535 and 65536":         "000000000010" + "0" + fibonacciCode(t, 65535) + "0" + "11",
		"6 to 4096":               one + "1" + fibonacciCode(t, 6) + fibonacciCode(t, 4090),
		"4095 that are not there": "111111111111" + "0" + "11",
	} {
		t.Run(name, func(t *testing.T) {
			refuse(t, "gpp", header(bits)+"~1YNN", "it is not a GPP string that can be read")
		})
	}
	// The same way of writing, with a section that is there.
	object := fmt.Sprintf(`{"gpp":"%s~1YNN"}`, header(one+"0"+fibonacciCode(t, 6)))
	if s, err := consent.Read(json.RawMessage(object), false); err != nil || s.GPP == nil || s.GPP.Fields["SaleOptOut"] != 2 {
		t.Errorf("%s: %v, %v", object, s, err)
	}
}

// fibonacciCode writes a number as the sum of the largest Fibonacci numbers.
func fibonacciCode(t *testing.T, n int) string {
	t.Helper()
	series := []int{1, 2}
	for series[len(series)-1] <= n {
		series = append(series, series[len(series)-1]+series[len(series)-2])
	}
	code := ""
	for _, worth := range slices.Backward(series) {
		switch {
		case worth <= n:
			n -= worth
			code = "1" + code
		case code != "":
			code = "0" + code
		}
	}
	return code + "1"
}

// A field is two bits, of which 3 is not defined.
func TestReadUndefinedOptOut(t *testing.T) {
	for value := range byte(4) {
		text, err := gpp.Encode([]gpp.Section{uspva.USPVA{
			SectionID: constants.SectionUSPVA,
			CoreSegment: sections.CommonUSCoreSegment{
				Version: 1, TargetedAdvertisingOptOut: value, SensitiveDataProcessing: make([]byte, 8), KnownChildSensitiveDataConsents: make([]byte, 1),
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if value == 3 {
			refuse(t, "gpp", text, "its section usva cannot be read")
			continue
		}
		s, err := consent.Read(json.RawMessage(`{"gpp":"`+text+`"}`), false)
		if err != nil {
			t.Fatal(err)
		}
		if value == 0 && s.GPP != nil || value != 0 && s.GPP.Fields["TargetedAdvertisingOptOut"] != int(value) {
			t.Errorf("%d: %+v", value, s.GPP)
		}
	}
}

// Every section that go-gpp gives a name to is read: cut short, it is refused, so that
// one that a later version adds is not ignored by mistake.
func TestReadKnowsSections(t *testing.T) {
	for id, name := range constants.SectionNamesByID {
		if constants.SectionID(id) == constants.SectionGPP {
			continue // the number of the header itself
		}
		bits := util.NewBitStreamForWrite()
		bits.WriteByte6(3)
		bits.WriteByte6(1)
		if err := bits.WriteIntRange(&util.IntRange{Size: 1, Range: []util.IRange{{StartID: uint16(id), EndID: uint16(id)}}}); err != nil {
			t.Fatal(err)
		}
		// The names are the standard's but for a p: "uspca" is usca, and uspv1 is uspv1.
		if id > int(constants.SectionUSPV1) {
			name = "us" + strings.TrimPrefix(name, "usp")
		}
		refuse(t, "gpp", string(bits.Base64Encode())+"~A", "its section "+name+" cannot be read")
	}
}
