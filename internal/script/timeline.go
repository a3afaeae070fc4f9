package script

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// Time reads a moment: a day, to the minute or to the second in UTC, or RFC 3339.
func Time(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}

// Timeline reads interactions, one a line, in the order of the lines.
func Timeline(lines []Line) (insight.Timeline, error) {
	var t insight.Timeline
	for _, line := range lines {
		x, err := interaction(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line.At, err)
		}
		t = append(t, x)
	}
	return t, nil
}

func interaction(line Line) (*insight.Interaction, error) {
	if len(line.Words) < 3 {
		return nil, fmt.Errorf("an interaction is when, type, channel")
	}
	at, err := Time(line.Words[0])
	if err != nil {
		return nil, err
	}
	channel := line.Words[2]
	x := &insight.Interaction{
		ID: id(line.At), Type: line.Words[1], Direction: insight.Inbound, OccurredAt: at, ReceivedAt: at,
		Channel: &insight.Channel{ID: id(channel), Key: channel, Name: channel, Kind: insight.OtherChannel},
	}
	properties := map[string]string{}
	for _, word := range line.Words[3:] {
		name, value, ok := strings.Cut(word, "=")
		switch {
		case word == "outbound":
			x.Direction = insight.Outbound
		case !ok:
			return nil, fmt.Errorf("%q is neither outbound nor name=value", word)
		case name == "id":
			x.ID = id(value)
		case name == "value":
			worth, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return nil, err
			}
			x.Value = &worth
		default:
			properties[name] = value
		}
	}
	if len(properties) > 0 {
		x.Properties, err = json.Marshal(properties)
	}
	return x, err
}

func id(name string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(name)) }
