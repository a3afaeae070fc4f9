package archive

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/acquaint/acquaint/insight"
)

// rights are what a request of a kind makes use of.
var rights = map[insight.RequestKind]string{
	insight.RequestAccess:      "the right to see what is held of you (GDPR Article 15)",
	insight.RequestPortability: "the right to have your data in a form that machines read (GDPR Article 20)",
}

// readme explains an archive to the person whom it is about, and to whoever writes a
// program that reads it.
func readme(o Options) string {
	business := cmp.Or(strings.Join(strings.Fields(o.Controller), " "), "the business")
	var b strings.Builder
	fmt.Fprintf(&b, `# Your data

This archive holds everything that %s keeps of you in Acquaint, its system for understanding customers, as it was at %s. It was asked for under %s, as request %s.

Keep it safe: whoever opens it can read all of it.

## Files

| file | what is in it |
| --- | --- |
| `+"`README.md`"+` | this explanation |
`, business, stamp(o.Now), rights[o.Kind], insight.FormatID(insight.RequestPrefix, o.Request))
	all := sections()
	for _, s := range all {
		first, _, _ := strings.Cut(s.says, ". ")
		fmt.Fprintf(&b, "| %s | %s |\n", names(s.files), strings.TrimSuffix(first, "."))
	}
	b.WriteString(`
Where a file is there as .json and as .csv, both hold the same rows. Take .csv for a spreadsheet, and either for a program.

## How to read it

All files are UTF-8. A JSON file with many rows is an array with an object a row; the members of the object have the names that the columns of the CSV file have. What is not known is null in JSON and an empty cell in CSV.

CSV files are as RFC 4180 says: commas between cells, the names of the columns in the first line, quotation marks around cells that hold a comma, a quotation mark or a line break. Open them in a spreadsheet as comma-separated UTF-8. Lists and whatever else is more than a text or a number are JSON in their cell. A text that begins with one of = + - @ (or their full-width forms), a tab, a line break or an apostrophe has an apostrophe put before it in CSV, so that no spreadsheet takes it for a formula; a program takes that one apostrophe away again. Numbers, and phone numbers with their plus, are as they are.

| form | what it is |
| --- | --- |
| text | any text |
| name | one of a few words, which are listed |
| time | as RFC 3339 says, in UTC, to the microsecond, such as 2026-05-01T10:00:00.25Z |
| id | what something is called in this system: what it is in three letters, an underscore and 26 letters and digits |
| key | a UUID that stands for one of your identifiers (` + "`key` in `identifiers.json`" + `) |
| number, whole number | with a point before its fraction, and nothing to group its digits |
| true or false | the word |
| list | in JSON an array; of texts, unless it says otherwise |
| JSON | any JSON |

| where a value comes from | what that means |
| --- | --- |
| source | whatever told this system of it: a website, an app, a shop or another system of the business, often by what you did or entered there. The column ` + "`source`" + ` has its name |
| Acquaint | this system itself noted it when something arrived or was done |
| derived | this system worked it out from the rest |
| business | people of the business set it |
`)
	for _, s := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", names(s.files), s.says)
		describe(&b, s)
		for _, inner := range s.within {
			fmt.Fprintf(&b, "\n%s:\n", inner.files[0])
			describe(&b, inner)
		}
	}
	b.WriteString(`
## How to check it

The receipt is signed. Whoever has the program acquaint checks it, and your ledgers of consent, without asking anybody:

    acquaint verify --receipt receipt.json
    acquaint verify --ledger consents.json

That the receipt is from the business, you know when its keyId is the one that the business tells you elsewhere. That a file is the one that was signed for, you know when its SHA-256 is the one in the receipt:

    sha256sum *.json *.csv

## What else you may ask for

You may have what is wrong corrected (GDPR Article 16) and your data erased (Article 17), have its use restricted (Article 18), object to a use whose legal basis is LEGITIMATE_INTEREST (Article 21), take consent back at any time (Article 7), and complain to a supervisory authority (Article 77). The business can tell you whom to write to, and what it holds of you in other systems.
`)
	return b.String()
}

func names(files []string) string {
	return "`" + strings.Join(files, "`, `") + "`"
}

func describe(b *strings.Builder, s section) {
	b.WriteString("\n| name | form | what it says | from |\n| --- | --- | --- | --- |\n")
	for _, c := range s.columns {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c[0], c[1], c[2], c[3])
	}
}
