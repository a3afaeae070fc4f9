package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/acquaint/acquaint/engage/archive"
	"github.com/acquaint/acquaint/engage/roster"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

type export struct {
	Individual exportIndividual `cmd:"" help:"Write everything that is held of one individual into a zip of JSON and CSV."`
	Segment    exportSegment    `cmd:"" help:"Write who is in a segment, as NDJSON or CSV."`
}

type exportSegment struct {
	Key     string   `arg:"" help:"The segment's key."`
	Format  string   `default:"ndjson" enum:"ndjson,csv" help:"ndjson or csv."`
	Traits  []string `placeholder:"KEY,…" help:"Traits to write with each; sensitive ones are not."`
	Out     string   `short:"o" default:"-" placeholder:"FILE" help:"Where to; - is standard output."`
	Subject string   `default:"operator" help:"Who asks, for the access log."`
}

// Help says who is in it.
func (exportSegment) Help() string {
	return "Those whom the segment's purpose covers at the moment at which they are written, newest first. The server gives the same at GET /v1/segments/KEY/members."
}

// Run writes a segment's members.
func (e *exportSegment) Run(p *process) (err error) {
	if err := p.configure(); err != nil {
		return err
	}
	s, err := p.openExisting()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	of, err := s.Segment(p.ctx, e.Key)
	if err != nil {
		return err
	}
	out := p.stdout
	if e.Out != "-" {
		file, err := os.OpenFile(e.Out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return &insight.Error{Op: "export", Kind: insight.Unavailable, Subject: "--out", Message: "the file cannot be written", Cause: err}
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	v := &insight.Viewer{Subject: e.Subject, Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{of.Purpose.Key}}
	n, err := writeMembers(p.ctx, s, out, v, e.Key, e.Format, e.Traits, func(string) {})
	if err == nil {
		p.note("%s members", count(int64(n)))
	}
	return err
}

// writeMembers writes the members of a segment, as far as a viewer may read them, and
// reports how many they are.
func writeMembers(ctx context.Context, s *store.Store, w io.Writer, v *insight.Viewer, key, format string, traits []string, begin func(mediaType string)) (int, error) {
	f, err := roster.ParseFormat("format", format)
	if err != nil {
		return 0, err
	}
	const most = 100
	if len(traits) > most {
		return 0, insight.NewError(insight.Invalid, "traits", fmt.Sprintf("at most %d are taken", most))
	}
	reader, err := s.Reader(ctx, v, store.NewAccess("export"))
	if err != nil {
		return 0, err
	}
	of, err := reader.Segment(ctx, key)
	if err != nil {
		return 0, err
	}
	begin(f.MediaType())
	out, err := roster.NewWriter(w, f, traits)
	if err != nil {
		return 0, err
	}
	n := 0
	err = reader.Roster(ctx, of, traits, func(members []*segment.Member) error {
		n += len(members)
		return out.Write(members)
	})
	if err != nil {
		return n, err
	}
	return n, out.Flush()
}

type exportIndividual struct {
	Who     string `arg:"" help:"${who}"`
	Out     string `short:"o" placeholder:"FILE" help:"Where to; - is standard output. Default: the request's id with .zip."`
	Subject string `default:"operator" help:"Who asks, for the receipt and the access log."`
}

// Help says what the archive is.
func (exportIndividual) Help() string {
	return "The archive explains itself in its README.md. It ends with a signed receipt, which acquaint verify --receipt checks, and its consents.json is a ledger that acquaint verify --ledger checks."
}

// Run writes an archive.
func (e *exportIndividual) Run(p *process) (err error) {
	if err := p.configure(); err != nil {
		return err
	}
	who, err := p.who(e.Who)
	if err != nil {
		return err
	}
	s, err := p.openExisting()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	id, err := s.Find(p.ctx, who)
	if err != nil {
		return err
	}
	request, _, err := s.RequestExport(p.ctx, id, insight.RequestAccess, store.Asked{By: e.Subject})
	if err != nil {
		return err
	}
	out := p.stdout
	if e.Out == "" {
		e.Out = insight.FormatID(insight.RequestPrefix, request.ID) + ".zip"
	}
	if e.Out != "-" {
		file, err := os.OpenFile(e.Out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return &insight.Error{Op: "export", Kind: insight.Unavailable, Subject: "--out", Message: "the file cannot be written", Cause: err}
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	m, err := p.writeArchive(p.ctx, s, out, request)
	if err != nil {
		return err
	}
	for _, f := range m.Files {
		p.note("%-20s %s rows", f.Name, count(int64(f.Rows)))
	}
	if e.Out != "-" {
		p.note("%s", e.Out)
	}
	return nil
}

// writeArchive writes the archive of a request, and notes that it was.
func (p *process) writeArchive(ctx context.Context, s *store.Store, w io.Writer, request *insight.Request) (archive.Manifest, error) {
	if err := s.LogExport(ctx, request); err != nil {
		return archive.Manifest{}, err
	}
	var written archive.Manifest
	err := s.Dossier(ctx, request.IndividualID, func(d *store.Dossier) error {
		var err error
		written, err = archive.Write(ctx, w, d, archive.Options{
			Now: insight.Moment(time.Now()), Request: request.ID, Kind: request.Kind, RequestedBy: request.RequestedBy, Controller: p.config.Controller, Sign: s.ReceiptKey().Sign,
		})
		return err
	})
	return written, err
}
