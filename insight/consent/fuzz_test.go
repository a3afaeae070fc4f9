package consent_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	gpp "github.com/prebid/go-gpp"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// checkRead says what must be so of every object: either it is read or there is an
// error, the header counts in any case, and what is read is within its bounds.
func checkRead(t *testing.T, object []byte, gpc bool) (*insight.Signals, *insight.Error) {
	t.Helper()
	s, err := consent.Read(object, gpc)
	if err != nil {
		var fault *insight.Error
		if !errors.As(err, &fault) || fault.Kind != insight.Invalid || fault.Message == "" {
			t.Fatalf("%v", err)
		}
		if (s != nil) != gpc || s != nil && (!s.GPC || s.Categories != nil || s.ConsentMode != nil || s.TCF != nil || s.GPP != nil) {
			t.Fatalf("%+v with %v", s, err)
		}
		return s, fault
	}
	if s == nil || gpc && !s.GPC || len(s.Categories) > 100 || len(s.ConsentMode) > 100 {
		t.Fatalf("%+v", s)
	}
	if s.GPP != nil && len(s.GPP.Fields) == 0 && !s.GPP.GPC {
		t.Fatal("a GPP string that says nothing")
	}
	return s, nil
}

// checkClaims says what must be so of whatever was read.
func checkClaims(t *testing.T, s *insight.Signals) {
	t.Helper()
	purposes, err := purposesOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range consent.Claims(s, purposes, seen, "web") {
		if canonical, err := consent.Canonical(c.Evidence); err != nil || string(canonical) != string(c.Evidence) {
			t.Fatalf("evidence %s: %v", c.Evidence, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, object := range []string{
		``, `null`, `{}`, `[]`, `{"gpc":true,"gpc":false}`,
		`{"categoryPreferences":{"Analytics":true,"Advertising":false,"Other":null}}`,
		`{"ad_storage":"granted","consentMode":{"ad_user_data":"denied","ours":"maybe"}}`,
		`{"tcString":"COwGVJOOwGVJOADACHENAOCAAO6as_-AAAhoAFNLAAoAAAA","gppString":"DBABh4A~BlgWEYCY.QA~BSFgmiU"}`,
		`{"tcf":"BONV8oqONXwgmADACHENAO7pqzAAppY","gpp":"DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN"}`,
	} {
		f.Add([]byte(object), false)
		f.Add([]byte(object), true)
	}
	f.Fuzz(func(t *testing.T, object []byte, gpc bool) {
		s, fault := checkRead(t, object, gpc)
		checkClaims(t, s)
		if fault != nil && !json.Valid(object) && len(object) > 0 && fault.Message != "it is not JSON" {
			t.Fatalf("%v", fault)
		}
		if fault != nil && slices.Contains([]string{"tcString", "tcf", "gppString", "gpp"}, fault.Subject) {
			checkMessage(t, fault)
		}
	})
}

// checkMessage says that an error about a string is one of a few, and so does not
// quote it.
func checkMessage(t *testing.T, fault *insight.Error) {
	t.Helper()
	message := fault.Message
	if section, ok := strings.CutPrefix(message, "its section "); ok {
		section, ok = strings.CutSuffix(section, " cannot be read")
		if ok && slices.Contains([]string{"tcfeu2", "uspv1", "usnat", "usca", "usva", "usco", "usut", "usct"}, section) {
			return
		}
	}
	if !slices.Contains([]string{
		"a string is expected",
		"there is another such string, which differs",
		"it has more than 8192 bytes",
		"it is empty, or has characters that no consent string has",
		"it is a TCF v1 string, which ceased to be valid in 2020: version 2 is expected",
		"it is not a TCF v2 string that can be read",
		"it is not a GPP string that can be read",
	}, message) {
		t.Fatalf("%v", fault)
	}
}

// FuzzTCF compares what is read of a string with its bits, taken one by one.
func FuzzTCF(f *testing.F) {
	for _, text := range []string{
		"COwGVJOOwGVJOADACHENAOCAAO6as_-AAAhoAFNLAAoAAAA", "COx3XOeOx3XOeLkAAAENAfCIAAAAAHgAAIAAAAAAAAAA",
		"CPtGDMAPtGDMALMAAAENA_E_AAAAAAAAACiQAAAAAAAA.QAAA.IAAA", "COyiILmOyiILmADACHENAPCAAAAAAAAAAAAAE5QBgALgAqgD8AQACSwEygJyAAAAAA",
		"CONciguONcjGKADACHENAOCIAC0ta__AACiQABwAoABAACA", "BONV8oqONXwgmADACHENAO7pqzAAppY",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		object, err := json.Marshal(map[string]string{"tcString": text})
		if err != nil {
			t.Fatal(err)
		}
		s, fault := checkRead(t, object, false)
		if fault != nil {
			checkMessage(t, fault)
			return
		}
		checkClaims(t, s)
		core, _, _ := strings.Cut(text, ".")
		bits := func(from, count int) (number int) {
			for i := from; i < from+count; i++ {
				digit := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", core[i/6])
				number = number<<1 | digit>>(5-i%6)&1
			}
			return number
		}
		if s.TCF.Text != text || bits(0, 6) != 2 || s.TCF.PolicyVersion != bits(132, 6) {
			t.Fatalf("version %d: %+v", bits(0, 6), s.TCF)
		}
		for n := 1; n <= 24; n++ {
			if s.TCF.Consent[n] != (bits(151+n, 1) == 1) || s.TCF.LegitimateInterest[n] != (bits(175+n, 1) == 1) {
				t.Fatalf("purpose %d: %+v", n, s.TCF)
			}
		}
		if s.TCF.Consent[0] || s.TCF.LegitimateInterest[0] {
			t.Fatal("purpose 0")
		}
	})
}

// FuzzGPP compares the sections that are read of a string with those that prebid's
// own parser finds, which can be asked once it is known that they are few.
func FuzzGPP(f *testing.F) {
	for _, text := range []string{
		"DBABh4A~BlgWEYCY.QA~BSFgmiU", "DBABrGA~DSJgmkoZJSA.YA~BlgWEYCY.QA~BSFgmiU~bSFgmJQ.YA~BWJYJllA~bSFgmSZQ.YA",
		"DBACTjw~1YYN~BSZZYgkA~BaRlkCSA.QA", "DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN", "DBABjw~x~1YNN",
		"DBGBM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA", "DBABBgA~xlgWE", "DBAA", "DBABgAAAAAAAAAAM~1YNN",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		object, err := json.Marshal(map[string]string{"gppString": text})
		if err != nil {
			t.Fatal(err)
		}
		s, fault := checkRead(t, object, false)
		if fault != nil {
			checkMessage(t, fault)
			return
		}
		checkClaims(t, s)
		theirs, errs := gpp.Parse(text)
		if len(errs) > 0 {
			t.Fatalf("prebid's parser: %v", errs)
		}
		has := func(ids ...int) bool {
			return slices.ContainsFunc(theirs.Sections, func(section gpp.Section) bool { return slices.Contains(ids, int(section.GetID())) })
		}
		if (s.TCF != nil) != has(2) {
			t.Fatalf("sections %v, TCF %v", theirs.SectionTypes, s.TCF)
		}
		if s.GPP == nil {
			return
		}
		if s.GPP.Text != text || !has(6, 7, 8, 9, 10, 11, 12) || s.GPP.GPC && !has(7, 8, 10, 12) || s.GPP.Fields["SharingOptOut"] != 0 && !has(7, 8) {
			t.Fatalf("sections %v, GPP %+v", theirs.SectionTypes, s.GPP)
		}
		for name, value := range s.GPP.Fields {
			if !strings.HasSuffix(name, "OptOut") || value != 1 && value != 2 {
				t.Fatalf("%+v", s.GPP)
			}
		}
	})
}
