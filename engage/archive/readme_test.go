package archive_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight"
)

// README.md has a row for every column of every CSV, and every member of every JSON
// object, in the section of its file; and none for what is not there.
func TestReadmeExplainsEverything(t *testing.T) {
	files, _ := written(t, ann())
	readme := string(files["README.md"])
	explained := map[string][]string{} // by file, "file.member" for objects within
	for section := range strings.SplitSeq(readme, "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		for _, name := range strings.Split(title, ", ") {
			explained[strings.Trim(name, "`")] = rowsOf(body)
		}
	}
	for name, text := range files {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not name %s", name)
		}
		var told []string
		switch {
		case name == "README.md":
			continue
		case strings.HasSuffix(name, ".csv"):
			header, err := csv.NewReader(strings.NewReader(string(text))).Read()
			if err != nil {
				t.Fatal(err)
			}
			told = header
		default:
			var document any
			decode(t, text, &document)
			told = members(document, map[string]bool{"properties": true, "campaign": true, "value": true, "evidence": true, "rule": true})
		}
		if name == "consents.json" { // of which README.md says in words that it is an object
			told = slices.DeleteFunc(told, func(s string) bool { return s == "heads" || s == "records" })
		}
		for _, one := range told {
			if !slices.Contains(explained[name], one) {
				t.Errorf("README.md does not explain %s of %s", one, name)
			}
		}
		if strings.HasSuffix(name, ".json") {
			for _, one := range explained[name] {
				if !slices.Contains(told, one) {
					t.Errorf("README.md explains %s, which %s does not have", one, name)
				}
			}
		}
	}
}

func TestReadmeSaysWhatItIs(t *testing.T) {
	for kind, article := range map[insight.RequestKind]string{insight.RequestAccess: "Article 15)", insight.RequestPortability: "Article 20)"} {
		o := options()
		o.Kind = kind
		files, _ := writtenWith(t, ann(), o)
		readme := string(files["README.md"])
		for _, want := range []string{"Example Ltd", "2026-05-02T09:30:00.123456Z", insight.FormatID("req", o.Request), article} {
			if !strings.Contains(readme, want) {
				t.Errorf("for %s it does not say %s", kind, want)
			}
		}
	}
	o := options()
	o.Controller = ""
	files, _ := writtenWith(t, ann(), o)
	if !strings.Contains(string(files["README.md"]), "everything that the business keeps of you") {
		t.Error("without a name it does not say who")
	}
}

// rowsOf lists the first cells of a section's tables.
func rowsOf(body string) []string {
	var all []string
	for row := range strings.SplitSeq(body, "\n") {
		if name, is := strings.CutPrefix(row, "| "); is && strings.Count(row, " | ") == 3 {
			name, _, _ = strings.Cut(name, " | ")
			if name != "name" || strings.Contains(row, "its name") {
				all = append(all, name)
			}
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "---" })
}

// members lists the members of all objects in a document, but not of those in some.
func members(v any, but map[string]bool) []string {
	var all []string
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			all = append(all, members(one, but)...)
		}
	case map[string]any:
		for name, one := range v {
			all = append(all, name)
			if !but[name] {
				all = append(all, members(one, but)...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
