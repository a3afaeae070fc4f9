package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/insight"
)

// isReport says that a field is a report of everyone, which is compared with a mirror.
// How everyone stands with every purpose is not: a mirror holds no such decisions; nor is
// what an experience changes, which TestSegmentsLeak asks.
func isReport(def *ast.Definition, f *ast.FieldDefinition) bool {
	return def.Name == "Insights" && !strings.HasPrefix(f.Name, "__") && f.Name != "consents" && !ofSegments(def, f)
}

// reports are the questions about everyone, one for each, since one that has no answer
// would take the others with it.
func (a *asker) reports() []*question {
	a.t.Helper()
	var all []*question
	def := a.schema.Types["Insights"]
	for _, f := range def.Fields {
		if !isReport(def, f) {
			continue
		}
		for _, args := range a.combinations(def.Name+"."+f.Name, f) {
			a.q = &question{report: f.Name, roots: []string{"insights"}, fields: map[string]askedFor{"insights": {field: "insights"}}}
			a.text.Reset()
			a.text.WriteString("query { insights { __typename ")
			a.field(f.Name, f.Name, args, a.schema.Types[f.Type.Name()], []string{"Insights"}, deep)
			a.text.WriteString("} }")
			a.q.text = a.text.String()
			a.q.fields[f.Name] = askedFor{f.Name, args}
			all = append(all, a.q)
		}
	}
	return all
}

// beside is the question about each individual whom the viewer sees, beside all of them:
// whatever is asked of an individual as of a moment. With their own token somebody asks
// it of themselves.
func (a *asker) beside(self bool) *question {
	a.t.Helper()
	a.q = &question{roots: []string{"individuals"}, fields: map[string]askedFor{"individuals": {"individuals", arguments{"first": {"100", 100}}}}}
	a.text.Reset()
	if self {
		a.q.roots = []string{"viewer"}
		a.text.WriteString("query { viewer { __typename individual { __typename id ")
	} else {
		a.text.WriteString("query { individuals(first: 100) { __typename nodes { __typename id identifiers { __typename kind value } ")
	}
	def := a.schema.Types["Individual"]
	for _, f := range def.Fields {
		if f.Arguments.ForName("asOf") == nil || ofSegments(def, f) {
			continue
		}
		for n, args := range a.combinations(def.Name+"."+f.Name, f) {
			a.field(fmt.Sprintf("%s_%d", f.Name, n), f.Name, args, a.schema.Types[f.Type.Name()], []string{"Individual"}, deep)
		}
	}
	a.text.WriteString("} } }")
	a.q.text = a.text.String()
	return a.q
}

// combinations are the ways in which a report is asked for: with what it must be given
// alone, or with each of the models that there are, and then with some of what it may be
// given, so that each argument is there at least once.
func (a *asker) combinations(coordinate string, f *ast.FieldDefinition) []arguments {
	a.t.Helper()
	must, may := arguments{}, arguments{}
	draw := func(into arguments, optional bool) {
		for _, arg := range f.Arguments {
			if optional == (!arg.Type.NonNull || arg.DefaultValue != nil) {
				all := a.candidates(coordinate, arg)
				if arg.Type.NamedType == "EventSelector" {
					all = append(all, a.broad()...)
				}
				if len(all) > 0 {
					into[arg.Name] = one(a.world, all)
				}
			}
		}
	}
	draw(must, false)
	var all []arguments
	if model := f.Arguments.ForName("model"); model != nil {
		for _, m := range a.candidates(coordinate, model) {
			args := maps.Clone(must)
			args["model"] = m
			switch f.Name {
			case "lifetime":
				args["asOf"] = timeArgument(noon) // when a crowd is such that models can be fitted
			case "attribution":
				args["conversion"] = argument{`{channels: ["web", "store"]}`, func(x *fact) bool { return x.channel == "web" || x.channel == "store" }} // of many, so that a number of them is told
				if m.text == "MARKOV" && a.chance(2) {
					args["order"] = argument{text: "2"}
				}
			}
			all = append(all, args)
		}
	}
	if len(all) == 0 {
		all = []arguments{must}
	}
	missing := map[string]bool{}
	for n := range 2 {
		args := arguments{}
		draw(args, false)
		clear(may)
		draw(may, true)
		for _, name := range slices.Sorted(maps.Keys(may)) {
			if a.chance(2) || n == 1 && missing[name] {
				args[name] = may[name]
			}
			missing[name] = missing[name] || n == 0
		}
		a.fit(args)
		for name := range args {
			missing[name] = false
		}
		all = append(all, args)
	}
	return all
}

// fit makes arguments that were drawn by themselves such that they are taken together.
func (a *asker) fit(args arguments) {
	if m, given := args["model"]; given && m.text != "MARKOV" {
		delete(args, "order")
	}
	if before, given := args["comparedTo"]; given {
		if asOf, given := args["asOf"]; given && asOf.value.(time.Time).Before(before.value.(time.Time)) {
			delete(args, "comparedTo")
		}
	}
	if _, given := args["exclusions"]; given {
		last := len(args["steps"].value.([]argument))
		after := 1
		if args["order"].text != "UNORDERED" {
			after = 1 + a.random.IntN(last-1)
		}
		args["exclusions"] = argument{fmt.Sprintf("[{event: %s, afterStep: %d, beforeStep: %d}]", one(a.world, a.broad()).text, after, last), nil}
	}
}

// reportCandidates are the values that the arguments of reports are tried with; nil:
// there is no such argument.
func (a *asker) reportCandidates(coordinate string, arg *ast.ArgumentDefinition) []argument {
	days := func(from, to int) argument {
		return timeArgument(a.clock().Add(-time.Duration(from*24+a.random.IntN((to-from)*24+1)) * time.Hour).Add(-time.Duration(a.random.IntN(3600)) * time.Second))
	}
	spans := func(some ...time.Duration) []argument {
		var all []argument
		for _, s := range some {
			all = append(all, argument{quote(insight.FormatDuration(s)), s})
		}
		return all
	}
	switch arg.Type.String() + " " + arg.Name {
	case "EventSelector start", "EventSelector returning", "EventSelector touch", "EventSelector! conversion":
		return a.broad()
	case "[EventSelector!]! steps":
		var all []argument
		for n := range 2 {
			steps := a.broad()[:2+n]
			all = append(all, argument{listed(steps), steps})
		}
		return all
	case "[FunnelExclusion!] exclusions":
		return []argument{{"[]", nil}} // fit fills it in, for as many steps as there are
	case "[Duration!] bands", "[Duration!] recencyBands":
		var some []time.Duration
		for _, s := range []time.Duration{time.Hour, 11 * time.Hour, insight.Day, 3 * insight.Day, 6 * insight.Day} {
			if !a.chance(3) {
				some = append(some, s)
			}
		}
		if len(some) == 0 {
			some = append(some, insight.Day)
		}
		return []argument{{listed(spans(some...)), some}}
	case "[Int!] frequencyBands":
		return []argument{{"[2]", nil}, {"[2, 4, 7]", nil}}
	case "Duration horizon":
		return spans(18*time.Hour, 3*insight.Day)
	case "Duration lookback":
		return spans(30*time.Minute, insight.Day)
	case "Duration! window":
		return spans(6*time.Hour, 3*insight.Day)
	case "Int steps", "Int maxLength", "Int top", "Int order":
		return []argument{{"2", 2}, {"3", 3}}
	case "Int! buckets":
		return []argument{{"4", 4}, {"9", 9}}
	case "Time comparedTo":
		return []argument{days(2, 8)}
	case "Time! from":
		return []argument{days(2, 12)}
	case "Time! to":
		return []argument{days(0, 2), timeArgument(a.clock().Add(30 * time.Hour))}
	case "String timeZone":
		return texts([]string{"Europe/Zurich", "Asia/Kathmandu", "America/New_York"})
	}
	if def := a.schema.Types[arg.Type.Name()]; def.Kind == ast.Enum && arg.Type.Elem == nil {
		var all []argument
		for _, v := range def.EnumValues {
			all = append(all, argument{v.Name, v.Name})
		}
		return all
	}
	return nil
}

func listed(some []argument) string {
	var parts []string
	for _, s := range some {
		parts = append(parts, s.text)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// broad are selectors that select many, in any order.
func (a *asker) broad() []argument {
	number := float64(a.random.IntN(a.events + 1))
	at := a.clock().Add(-time.Duration(a.random.IntN(96)) * time.Hour)
	all := []argument{
		{`{types: ["page"]}`, func(x *fact) bool { return x.kind == "page" }},
		{`{types: ["page", "purchase"]}`, func(x *fact) bool { return x.kind == "page" || x.kind == "purchase" }},
		{`{channels: ["web", "store"]}`, func(x *fact) bool { return x.channel == "web" || x.channel == "store" }},
		{`{channelKinds: [EMAIL, SEARCH], direction: INBOUND}`, func(x *fact) bool {
			return (x.channel == "email" || x.channel == "organic_search") && inbound(x)
		}},
		{`{direction: INBOUND}`, inbound},
		{`{currencies: ["CHF", "USD"]}`, func(x *fact) bool { return x.currency == "CHF" }},
		{`{properties: [{path: "number", op: GTE, value: ` + quote(number) + `}]}`, func(x *fact) bool { return x.properties["number"].(float64) >= number }},
		{`{occurredFrom: ` + quote(moment(at)) + `}`, func(x *fact) bool { return !x.at.Before(at) }},
	}
	a.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// plain compares what plain loops can count of a report.
func (c *comparison) plain(q *question, told map[string]any) {
	args := q.fields[q.report].args
	p := place{path: q.report + args.String()}
	if population, is := told["population"]; is && population != c.rounded(len(c.population())) {
		c.find(p, "the population is %v, and must be %v", population, c.rounded(len(c.population())))
	}
	if c.floor > 1 {
		return // what is told of groups is compared with a mirror
	}
	at := c.clock()
	if asOf, given := args["asOf"]; given {
		at = asOf.value.(time.Time)
	}
	if asOf, is := told["asOf"]; is && asOf != moment(at) {
		c.find(p, "it is as of %v, not %s", asOf, moment(at))
	}
	did := matcher(args["event"], inbound)
	count := func(what string, got any, want int) {
		if got != float64(want) {
			c.find(p, "%s are %v, and must be %d", what, got, want)
		}
	}
	each := func(list string, of func(n int, m map[string]any)) {
		for n, m := range told[list].([]any) {
			of(n, m.(map[string]any))
		}
	}
	switch q.report {
	case "recency":
		bounds := []time.Duration{7 * insight.Day, 15 * insight.Day, 20 * insight.Day, 46 * insight.Day, 81 * insight.Day}
		if given, is := args["bands"]; is {
			bounds = given.value.([]time.Duration)
		}
		want := c.inBands(did, at, bounds)
		each("bands", func(n int, m map[string]any) { count(fmt.Sprintf("those in band %d", n), m["individuals"], want[n]) })
	case "latency":
		each("steps", func(n int, m map[string]any) {
			count(fmt.Sprintf("those who made step %d", n+1), m["individuals"], c.didOften(did, at, n+2))
		})
	case "lifecycle":
		want := c.lives(did, calendarOf(args))
		if len(told["buckets"].([]any)) != len(want) {
			c.find(p, "there are %d buckets, and must be %d", len(told["buckets"].([]any)), len(want))
			return
		}
		each("buckets", func(n int, m map[string]any) {
			for _, stage := range []string{"new", "returning", "resurrecting", "dormant"} {
				count(fmt.Sprintf("those who are %s in bucket %d", stage, n), m[stage], want[n][stage])
			}
		})
	case "stickiness":
		want := c.actives(did, calendarOf(args))
		each("counts", func(n int, m map[string]any) {
			count(fmt.Sprintf("those who came in %d buckets", n+1), m["individuals"], want[n+1])
		})
	case "transitions":
		lookback := 30 * insight.Day
		if given, is := args["lookback"]; is {
			lookback = given.value.(time.Duration)
		}
		want := c.followed(matcher(args["event"], nil), at, lookback)
		each("transitions", func(_ int, m map[string]any) {
			pair := m["from"].(map[string]any)["key"].(string) + " to " + m["to"].(map[string]any)["key"].(string)
			count(pair, m["count"], want[pair])
			delete(want, pair)
		})
		for pair, n := range want {
			c.find(p, "%d times %s are missing", n, pair)
		}
	case "lifecycleGrid", "rfm":
		sum := 0.0
		for _, list := range []string{"cells", "segments"} {
			if told[list] != nil {
				each(list, func(_ int, m map[string]any) { sum += m["individuals"].(float64) })
			}
		}
		count("those who did it", sum, c.didOften(did, at, 1))
	case "attribution":
		n := 0
		for _, id := range c.population() {
			n += len(c.timeline(id, matcher(args["conversion"], nil), at))
		}
		count("conversions", told["conversions"].(float64)+told["unattributedConversions"].(float64), n)
	case "funnel":
		if args["order"].text != "UNORDERED" {
			first := told["steps"].([]any)[0].(map[string]any)
			count("those who took the first step", first["individuals"], c.didOften(args["steps"].value.([]argument)[0].value.(func(*fact) bool), at, 1))
		}
	case "retention":
		if mode := args["mode"].text; mode == "" || mode == "RECURRING" {
			starts := matcher(args["start"], inbound)
			want := c.returned(starts, matcher(args["returning"], starts), args)
			each("cohorts", func(n int, m map[string]any) {
				for later, got := range m["counts"].([]any) {
					if got != nil && later > 0 {
						count(fmt.Sprintf("those of cohort %d who came %d buckets later", n, later), got, want[[2]int{n, n + later}])
					}
				}
				count(fmt.Sprintf("those of cohort %d", n), m["size"], want[[2]int{n, n}])
			})
		}
	case "relationships":
		want := map[any]int{}
		for _, id := range c.population() {
			_, status := c.standing(c.members[id], "marketing", at)
			switch {
			case status == "DENIED" || status == "WITHDRAWN":
				want["OPTED_OUT"]++
			case len(c.timeline(id, inbound, at)) == 0 && len(c.timeline(id, nil, at)) < 5:
				want["STRANGER"]++
			}
		}
		each("counts", func(_ int, m map[string]any) {
			if m["status"] == "OPTED_OUT" || m["status"] == "STRANGER" {
				count("those who are "+m["status"].(string), m["individuals"], want[m["status"]])
			}
		})
	}
}

// inBands is how many did something last how long ago.
func (v *view) inBands(did func(*fact) bool, at time.Time, bounds []time.Duration) []int {
	counts := make([]int, len(bounds)+1)
	for _, id := range v.population() {
		if t := v.timeline(id, did, at); len(t) > 0 {
			n := 0
			for n < len(bounds) && at.Sub(t[len(t)-1].at) >= bounds[n] {
				n++
			}
			counts[n]++
		}
	}
	return counts
}

// didOften is how many did something so often.
func (v *view) didOften(did func(*fact) bool, at time.Time, often int) int {
	n := 0
	for _, id := range v.population() {
		if len(v.timeline(id, did, at)) >= often {
			n++
		}
	}
	return n
}

// followed is how often which channel followed which.
func (v *view) followed(matches func(*fact) bool, at time.Time, lookback time.Duration) map[string]int {
	counts := map[string]int{}
	for _, id := range v.population() {
		var before *fact
		for _, x := range v.timeline(id, matches, at) {
			if before != nil && x.at.Sub(before.at) <= lookback && x.channel != before.channel {
				counts[before.channel+" to "+x.channel]++
			}
			before = x
		}
	}
	return counts
}

// calendar is how a report divides time.
type calendar struct {
	interval string
	sunday   bool
	zone     *time.Location
	from, to time.Time
}

func calendarOf(args arguments) calendar {
	c := calendar{interval: args["interval"].text, sunday: args["weekStart"].text == "SUNDAY", zone: time.UTC, from: args["from"].value.(time.Time)}
	c.to, _ = args["to"].value.(time.Time)
	if zone, given := args["timeZone"]; given {
		var err error
		if c.zone, err = time.LoadLocation(zone.value.(string)); err != nil {
			panic(err)
		}
	}
	return c
}

// bucket is when the bucket began, in the zone's clocks, that a moment is in.
func (c calendar) bucket(at time.Time) time.Time {
	at = at.In(c.zone)
	day := func(back int) time.Time { return time.Date(at.Year(), at.Month(), at.Day()-back, 0, 0, 0, 0, c.zone) }
	switch c.interval {
	case "HOUR":
		return at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
	case "DAY":
		return day(0)
	case "WEEK":
		if c.sunday {
			return day(int(at.Weekday()))
		}
		return day((int(at.Weekday()) + 6) % 7)
	}
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, c.zone)
}

// buckets are when the buckets began, from the one before from to that of to or, if it is
// earlier, of now.
func (c calendar) buckets(now time.Time) []time.Time {
	var all []time.Time
	until := c.to
	if now.Before(until) {
		until = now
	}
	for at := c.bucket(until); !at.Before(c.bucket(c.from)); at = c.bucket(at.Add(-time.Microsecond)) {
		all = append(all, at)
	}
	all = append(all, c.bucket(c.bucket(c.from).Add(-time.Microsecond)))
	slices.Reverse(all)
	return all
}

// active are in which of the buckets somebody was there, and whether they were before.
func (v *view) active(individual string, did func(*fact) bool, c calendar, buckets []time.Time) (there []bool, first time.Time) {
	there = make([]bool, len(buckets))
	for n, x := range v.timeline(individual, did, v.clock()) {
		if n == 0 {
			first = c.bucket(x.at)
		}
		for n, b := range buckets {
			there[n] = there[n] || c.bucket(x.at).Equal(b)
		}
	}
	return there, first
}

// lives are how many are new and so on in each bucket.
func (v *view) lives(did func(*fact) bool, c calendar) []map[string]int {
	buckets := c.buckets(v.clock())
	counts := make([]map[string]int, len(buckets)-1)
	for n := range counts {
		counts[n] = map[string]int{}
	}
	for _, id := range v.population() {
		there, first := v.active(id, did, c, buckets)
		for n := 1; n < len(buckets); n++ {
			switch {
			case there[n] && first.Equal(buckets[n]):
				counts[n-1]["new"]++
			case there[n] && there[n-1]:
				counts[n-1]["returning"]++
			case there[n]:
				counts[n-1]["resurrecting"]++
			case there[n-1]:
				counts[n-1]["dormant"]--
			}
		}
	}
	return counts
}

// returned is how many of those who started in one bucket returned in another; in the
// same one, how many started.
func (v *view) returned(starts, returns func(*fact) bool, args arguments) map[[2]int]int {
	c := calendarOf(args)
	c.to = v.clock()
	buckets, counts := c.buckets(v.clock()), map[[2]int]int{}
	for _, id := range v.population() {
		started, _ := v.active(id, starts, c, buckets)
		there, _ := v.active(id, returns, c, buckets)
		for n := 1; n < len(buckets); n++ {
			for later := n; later < len(buckets); later++ {
				if started[n] && (there[later] || later == n) {
					counts[[2]int{n - 1, later - 1}]++
				}
			}
		}
	}
	return counts
}

// actives are how many were there in how many buckets.
func (v *view) actives(did func(*fact) bool, c calendar) map[int]int {
	buckets, counts := c.buckets(v.clock()), map[int]int{}
	for _, id := range v.population() {
		there, _ := v.active(id, did, c, buckets)
		n := 0
		for _, was := range there[1:] {
			if was {
				n++
			}
		}
		counts[n]++
	}
	return counts
}
