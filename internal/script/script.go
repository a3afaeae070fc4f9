package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Line is one line's words, and where it stands.
type Line struct {
	Words []string
	At    string // "testdata/gaps.txt:12"
}

// Option returns the value of a word name=value, or an empty string.
func (l Line) Option(name string) string {
	for _, word := range l.Words {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}

// Question is one ask of a scene, with what was loaded before it.
type Question struct {
	Scene  string // the words after load
	Load   []Line
	Ask    Line   // the words after ask
	Detail []Line // the lines beneath ask
	Expect []Line
}

// Run asks every question of the files that match pattern, each as a test of its
// own, and compares what answer says, one line each, with what is expected. An
// error is answered as one line, "error" and its text.
func Run(t *testing.T, pattern string, answer func(Question) ([]string, error)) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		questions, err := Parse(filepath.ToSlash(file), string(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range questions {
			t.Run(q.Scene+"/"+strings.Join(q.Ask.Words, " "), func(t *testing.T) {
				if fault := q.check(answer(q)); fault != "" {
					t.Error(fault)
				}
			})
		}
	}
}

func (q Question) check(lines []string, err error) string {
	if err != nil {
		lines = append(lines, strings.Split("error "+err.Error(), "\n")...)
	}
	for i := range max(len(lines), len(q.Expect)) {
		got, want, at := "nothing more", "nothing more", q.Ask.At
		if i < len(lines) {
			got = strings.Join(strings.Fields(lines[i]), " ")
		}
		if i < len(q.Expect) {
			want, at = strings.Join(q.Expect[i].Words, " "), q.Expect[i].At
		}
		if got != want {
			return fmt.Sprintf("%s: got  %s\n%s: want %s\nthe whole answer:\n  %s", at, got, at, want, strings.Join(lines, "\n  "))
		}
	}
	return ""
}

// Parse reads a file's text; name stands for the file in errors.
func Parse(name, text string) ([]Question, error) {
	var questions []Question
	var scene Question
	var block *[]Line // which indented lines belong to
	answered := true
	for i, raw := range strings.Split(text, "\n") {
		line := Line{Words: words(raw), At: fmt.Sprintf("%s:%d", name, i+1)}
		switch {
		case len(line.Words) == 0:
			continue
		case raw[0] == ' ' || raw[0] == '\t':
			if block == nil {
				return nil, fmt.Errorf("%s: this line is beneath no block", line.At)
			}
			*block = append(*block, line)
			continue
		}
		keyword := line.Words[0]
		line.Words = line.Words[1:]
		if (keyword == "expect") == answered {
			return nil, fmt.Errorf("%s: %s: each ask is followed by one expect", line.At, keyword)
		}
		switch keyword {
		case "load":
			scene = Question{Scene: strings.Join(line.Words, " ")}
			block = &scene.Load
		case "ask":
			q := scene
			q.Ask = line
			questions = append(questions, q)
			block, answered = &questions[len(questions)-1].Detail, false
		case "expect":
			block, answered = &questions[len(questions)-1].Expect, true
		default:
			return nil, fmt.Errorf("%s: a block starts with load, ask or expect", line.At)
		}
	}
	if len(questions) == 0 || !answered {
		return nil, fmt.Errorf("%s: it ends without a question and its answer", name)
	}
	return questions, nil
}

func words(raw string) []string {
	all := strings.Fields(raw)
	for i, word := range all {
		if strings.HasPrefix(word, "#") {
			return all[:i]
		}
	}
	return all
}
