// Package scalar answers: how is a value of the vocabulary written in GraphQL?
//
// The rule in words: times are RFC 3339 in UTC, durations ISO 8601, enums their
// names in the schema, cursors opaque. What cannot be read is refused with an
// error that says what would be right and never repeats the value.
//
// For example, a span of 26 hours is written "P1DT2H", and "PT26H" reads as the
// same.
//
// It refuses times outside the years 1 to 9998, durations beyond 292 years, and
// names that an enum does not have.
package scalar
