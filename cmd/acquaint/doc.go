// Command acquaint answers: how is Acquaint run? It is the one binary: its verbs,
// and the wiring of the packages that do the work.
//
//	acquaint [serve]       serve the API, the tracking API and the playground
//	acquaint demo          serve them with a simulated population to look at
//	acquaint migrate       bring the database to this version; --distribute spreads it over many machines
//	acquaint import FILE   import events from a CSV or NDJSON file
//	acquaint simulate      make a population, into a file or the database
//	acquaint token         print a token
//	acquaint verify        recompute what is derived, and report differences
//	acquaint help [VERB]   explain a verb; help config explains the settings
//	acquaint version       print the version
//
// The rule in words: what a verb is for goes to standard output, what is said
// about it (progress, logs, errors) to standard error. An error is a line
// "acquaint: subject: message". The status is 0 when all went well, 1 when it did
// not, and 2 when the command line is wrong. Ctrl-C ends serve and demo with
// status 0, and the others, whose work is then not done, with 1; a second Ctrl-C
// does not wait.
//
// One worked example: "acquaint token --ttl 24h | pbcopy" puts a token for trying
// the API into the clipboard and nothing else, whatever is logged.
//
// It refuses to listen beyond this machine without a configured secret, wrong
// values in the environment, and a secret file that others can read.
package main
