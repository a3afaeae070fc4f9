package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/acquaint/acquaint/engage/archive"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

type export struct {
	Individual exportIndividual `cmd:"" help:"Write everything that is held of one individual into a zip of JSON and CSV."`
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
