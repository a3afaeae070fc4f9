// Package web answers: what does a browser get that opens Acquaint's address?
// Today it is the playground, GraphiQL with the example queries, whole from the
// binary.
//
// The rule in words: the page and everything it loads come from this origin, and
// the content security policy that goes with it lets the browser ask no other.
// Files under /assets/ have a hash of their content in their name and may be kept
// for ever; the page itself is made anew for each visit and never kept, because
// it can hold a token.
//
// One worked example: with a token "t", the purpose "analytics" and one tab, GET /
// answers 200 with the page, in which a script element of type application/json
// says {"endpoint":"/graphql","token":"t","purpose":"analytics","tabs":[…]}. The
// header editor of every tab, also of tabs that the browser kept from last week,
// then starts with Authorization "Bearer t" and Acquaint-Purpose "analytics". GET
// /assets/index-….js answers 200 and may be kept for a year; GET /other answers
// 404, POST / answers 405.
//
// It refuses to hand out a token to a page that was asked for under a name that
// is not this machine's loopback: such a name may be a stranger's, pointed at
// 127.0.0.1 to read the page from another site (DNS rebinding). That page opens
// without a token, with a template in its place.
//
// The files in dist/ are built from src/ by Vite from locked packages
// (npm ci && npm run build, the same bytes on every machine) and committed, so
// that Go alone is enough to build and run.
package web
