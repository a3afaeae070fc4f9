package testdb

import (
	"fmt"
	"testing"
)

// TestWhichEngines says on which engines this machine's tests run: make test shows
// it, so that nobody takes an engine that was left out for one that passed.
func TestWhichEngines(t *testing.T) {
	line := "engines: sqlite postgres"
	if err := answers(); err != nil {
		line = "engines: sqlite; postgres is left out, no server answers"
		if demanded("postgres") {
			t.Errorf("ACQUAINT_TEST_ENGINES demands PostgreSQL, and none answers: %v", err)
		}
	}
	fmt.Println(line)
}
