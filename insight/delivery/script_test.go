package delivery_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight/delivery"
	"github.com/acquaint/acquaint/internal/script"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		answer := judged
		switch q.Ask.Words[0] {
		case "judge":
		case "disclose":
			answer = disclosed
		default:
			return nil, errors.New("one asks to judge or to disclose")
		}
		var lines []string
		for _, line := range q.Detail {
			text, err := answer(q.Load, line)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line.At, err)
			}
			lines = append(lines, text)
		}
		return lines, nil
	})
}

// judged says what follows from the answer of a line.
func judged(scene []script.Line, line script.Line) (string, error) {
	var numbers [4]float64
	for n, name := range []string{"attempt", "failures", "share", "hold"} {
		var err error
		if numbers[n], err = strconv.ParseFloat(scene[0].Option(name), 64); err != nil {
			return "", err
		}
	}
	a := delivery.Answer{At: noon}
	var err error
	if line.Words[0] == "none" {
		a.Fault = line.Words[1]
	} else if a.Status, err = strconv.Atoi(line.Words[0]); err != nil {
		return "", err
	}
	if text := line.Option("retry"); text != "" {
		if a.RetryAfter, err = time.ParseDuration(text); err != nil {
			return "", err
		}
	}
	d := &delivery.Delivery{Attempt: int(numbers[0])}
	r := d.Judge(a, int(numbers[1]), numbers[2], numbers[3])
	text := line.Words[0] + " " + string(r.Outcome)
	if r.Outcome == delivery.Delivered {
		return text, nil
	}
	text += fmt.Sprintf(", again after %v", r.Next.Sub(noon))
	if !r.Hold.IsZero() {
		text += fmt.Sprintf(", held for %v", r.Hold.Sub(noon))
	}
	switch {
	case r.Disable != "" && r.FailingBy.IsZero():
		text += ", disabled"
	case r.Disable != "":
		text += fmt.Sprintf(", disabled if it has failed for %v", noon.Sub(r.FailingBy))
	}
	return text + ": " + r.Reason, nil
}

// disclosed says how much may be told of the change of a line.
func disclosed(_ []script.Line, line script.Line) (string, error) {
	for _, word := range line.Words[1:] {
		if word != "covered" && word != "told" {
			return "", fmt.Errorf("%q means nothing", word)
		}
	}
	how := delivery.Disclose(delivery.Kind(line.Words[0]), slices.Contains(line.Words, "covered"), slices.Contains(line.Words, "told"))
	names := []string{"nothing", "bare", "full"}
	if int(how) >= len(names) {
		return "", fmt.Errorf("%d is no disclosure: there are %s", how, strings.Join(names, ", "))
	}
	return names[how], nil
}
