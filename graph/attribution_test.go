package graph_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestAttributionByHand: what two small worlds are owed to, worked out by hand.
//
// In the first one email led to conversions worth 10 and 20, direct to one worth 30, and
// email and a week later direct to one worth 40; email led one more individual nowhere.
// It is the example of the package's documentation, with values. By MARKOV 3/4 of the
// conversions are lost without email and 1/2 without direct. A journey is worth 100/5 =
// 20; without email it is 1/5 of (30+40)/2, which loses 13, and without direct 4/5 of 1/2
// of (10+20)/2, which loses 14.
//
// In the second one somebody came by sms, a week later by push, another week later by
// sms again, and then bought for 70. By TIME_DECAY the touches weigh 1/4, 1/2 and 1. By
// MARKOV all is lost without sms, and without push the half that went on from sms to it;
// of order 2, all.
func TestAttributionByHand(t *testing.T) {
	type credit struct{ conversions, value, removal float64 }
	first := map[string]map[string]credit{
		"model: FIRST":           {"email": {3, 70, 0}, "direct": {1, 30, 0}},
		"model: LAST":            {"email": {2, 30, 0}, "direct": {2, 70, 0}},
		"model: LAST_NON_DIRECT": {"email": {3, 70, 0}, "direct": {1, 30, 0}},
		"model: LINEAR":          {"email": {2.5, 50, 0}, "direct": {1.5, 50, 0}},
		"model: POSITION":        {"email": {2.5, 50, 0}, "direct": {1.5, 50, 0}},
		"model: TIME_DECAY":      {"email": {2 + 1.0/3, 30 + 40.0/3, 0}, "direct": {1 + 2.0/3, 30 + 80.0/3, 0}},
		"model: MARKOV":          {"email": {4 * .75 / 1.25, 100 * 13.0 / 27, .75}, "direct": {4 * .5 / 1.25, 100 * 14.0 / 27, .5}},
		"model: SHAPLEY":         {"email": {2.5, 50, 0}, "direct": {1.5, 50, 0}},
	}
	second := map[string]map[string]credit{
		"model: FIRST":            {"sms": {1, 70, 0}, "push": {0, 0, 0}},
		"model: LAST":             {"sms": {1, 70, 0}, "push": {0, 0, 0}},
		"model: LAST_NON_DIRECT":  {"sms": {1, 70, 0}, "push": {0, 0, 0}},
		"model: LINEAR":           {"sms": {2.0 / 3, 140.0 / 3, 0}, "push": {1.0 / 3, 70.0 / 3, 0}},
		"model: POSITION":         {"sms": {.8, 56, 0}, "push": {.2, 14, 0}},
		"model: TIME_DECAY":       {"sms": {5.0 / 7, 50, 0}, "push": {2.0 / 7, 20, 0}},
		"model: MARKOV":           {"sms": {2.0 / 3, 140.0 / 3, 1}, "push": {1.0 / 3, 70.0 / 3, .5}},
		"model: MARKOV, order: 2": {"sms": {.5, 35, 1}, "push": {.5, 35, 1}},
		"model: SHAPLEY":          {"sms": {.5, 35, 0}, "push": {.5, 35, 0}},
	}
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		n := 0
		x := func(who, kind, channel string, day int, value float64) map[string]any {
			n++
			return map[string]any{
				"messageId": fmt.Sprintf("h-%d", n), "userId": who, "type": kind, "channel": channel, "value": value, "currency": "EUR",
				"occurredAt": noon.Add(time.Duration(day)*24*time.Hour + time.Duration(n)*time.Microsecond).Format(time.RFC3339Nano),
			}
		}
		a.record(
			x("g1", "touch", "email", 1, 0), x("g1", "won", "store", 2, 10),
			x("g2", "touch", "email", 1, 0), x("g2", "won", "store", 2, 20),
			x("m", "touch", "direct", 1, 0), x("m", "won", "store", 2, 30),
			x("g0", "touch", "email", 1, 0),
		)
		n = 0 // touches a week apart to the microsecond
		week := func(who, kind, channel string, day int, value float64) map[string]any {
			w := x(who, kind, channel, day, value)
			w["messageId"], w["occurredAt"] = fmt.Sprintf("w-%d", n), noon.Add(time.Duration(day)*24*time.Hour).Format(time.RFC3339)
			return w
		}
		a.record(
			week("gm", "touch", "email", 1, 0), week("gm", "touch", "direct", 8, 0), week("gm", "won", "store", 9, 40),
			week("loop", "seen", "sms", 1, 0), week("loop", "seen", "push", 8, 0), week("loop", "seen", "sms", 15, 0), week("loop", "bought", "store", 16, 70),
		)
		check := func(conversion, touch, arguments string, conversions, value float64, want map[string]credit) {
			t.Helper()
			answer := a.must(fmt.Sprintf(`{ insights { attribution(conversion: {types: [%q]}, touch: {types: [%q]}, %s) {
				conversions value channels { channel { key } conversions value share removalEffect } } } }`, conversion, touch, arguments), nil)
			at := func(path string) float64 {
				x, _ := dig(t, answer, "insights.attribution."+path).(float64) // a missing effect is 0
				return x
			}
			near := func(what string, got, want float64) {
				t.Helper()
				if math.Abs(got-want) > 1e-9 {
					t.Errorf("%s of %s by %s is %v, want %v", what, conversion, arguments, got, want)
				}
			}
			near("conversions", at("conversions"), conversions)
			near("value", at("value"), value)
			for n := range len(want) {
				credit := fmt.Sprintf("channels.%d.", n)
				key := fmt.Sprint(dig(t, answer, "insights.attribution."+credit+"channel.key"))
				c, ok := want[key]
				if !ok {
					t.Errorf("%s has a part of %s", key, conversion)
				}
				near(key, at(credit+"conversions"), c.conversions)
				near(key+"'s value", at(credit+"value"), c.value)
				near(key+"'s share", at(credit+"share"), c.conversions/conversions)
				near(key+"'s removal effect", at(credit+"removalEffect"), c.removal)
			}
		}
		for arguments, want := range first {
			check("won", "touch", arguments, 4, 100, want)
		}
		for arguments, want := range second {
			check("bought", "seen", arguments, 1, 70, want)
		}
	})
}

// TestTransitionsByHand: 22 transitions drawn at random from half, a third and a sixth,
// without repeats, have no lift. It is the example of the package's documentation.
func TestTransitionsByHand(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		var all []map[string]any
		for pair, times := range map[[2]string]int{{"web", "email"}: 6, {"email", "web"}: 6, {"web", "store"}: 3, {"store", "web"}: 3, {"email", "store"}: 2, {"store", "email"}: 2} {
			for n := range times {
				for step, channel := range pair {
					all = append(all, map[string]any{
						"messageId": fmt.Sprintf("%v-%d-%d", pair, n, step), "userId": fmt.Sprintf("%v-%d", pair, n), "type": "page", "channel": channel,
						"occurredAt": noon.Add(time.Duration(step) * time.Hour).Format(time.RFC3339),
					})
				}
			}
		}
		a.record(all...)
		answer := a.must(`{ insights { transitions { population transitions { from { key } to { key } count probability lift liftLow liftHigh medianTime } } } }`, nil)
		for n, want := range []struct {
			from, to           string
			count, probability float64
		}{{"email", "web", 6, 6.0 / 8}, {"web", "email", 6, 6.0 / 9}, {"store", "web", 3, 3.0 / 5}, {"web", "store", 3, 3.0 / 9}, {"email", "store", 2, 2.0 / 8}, {"store", "email", 2, 2.0 / 5}} {
			pair := fmt.Sprintf("insights.transitions.transitions.%d.", n)
			from, to := dig(t, answer, pair+"from.key"), dig(t, answer, pair+"to.key")
			number := func(field string) float64 {
				x, ok := dig(t, answer, pair+field).(float64)
				if !ok {
					t.Errorf("%v to %v has no %s", from, to, field)
				}
				return x
			}
			if from != want.from || to != want.to || number("count") != want.count || math.Abs(number("probability")-want.probability) > 1e-9 || math.Abs(number("lift")-1) > 1e-9 {
				t.Errorf("pair %d is %v to %v, %v times, with %v and a lift of %v; want %v", n, from, to, number("count"), number("probability"), number("lift"), want)
			}
			if low, high := number("liftLow"), number("liftHigh"); low >= 1 || high <= 1 || math.Abs(low*high-1) > 1e-9 {
				t.Errorf("the lift of %v to %v lies between %v and %v", from, to, low, high)
			}
			if time := dig(t, answer, pair+"medianTime"); time != "PT1H" {
				t.Errorf("%v to %v takes %v", from, to, time)
			}
		}
	})
}
