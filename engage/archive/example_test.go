package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/acquaint/acquaint/engage/archive"
)

func ExampleWrite() {
	var b bytes.Buffer // or an HTTP answer: nothing is read back
	m, err := archive.Write(context.Background(), &b, ann(), options())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, table := range m.Receipt.Tables[:3] {
		fmt.Println(table.Table, table.Rows)
	}
	z, _ := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	f, _ := z.Open("identifiers.csv")
	text, _ := io.ReadAll(f)
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\r\n") {
		fmt.Println(strings.Split(line, ",")[1:3])
	}
	// Output:
	// individuals 1
	// identifiers 3
	// links 3
	// [kind value]
	// [USER_ID "'=HYPERLINK(""http://example.com"")"]
	// [PHONE +4917612345678]
	// [ANONYMOUS_ID ''t Gooi]
}
