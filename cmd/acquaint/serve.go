package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/acquaint/acquaint/docs/examples"
	"github.com/acquaint/acquaint/engage/audience"
	"github.com/acquaint/acquaint/engage/decision"
	"github.com/acquaint/acquaint/engage/webhook"
	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/graph/population"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/server"
	"github.com/acquaint/acquaint/store"
	"github.com/acquaint/acquaint/web"
)

// stopTime is how long requests, and then events that wait, have to finish after
// the stop.
const stopTime = 20 * time.Second

type serve struct{}

// Help says how it is configured.
func (serve) Help() string {
	return "It listens on ACQUAINT_ADDR and keeps its data where DATABASE_URL and ACQUAINT_DATA say; acquaint help config explains these and the others. Ctrl-C stops it; nothing that was acknowledged is lost."
}

// Run serves until it is told to stop.
func (serve) Run(p *process) (err error) {
	listener, err := p.listen()
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // the server has closed it, or nothing was served
	s, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return p.serve(listener, s, tryPurpose, "", func() {
		p.say("Acquaint serves %s", address(listener))
		p.say("  database     %s", p.database())
		p.say("  playground   %s", address(listener))
		if p.config.JWKSURL != "" {
			p.say("  tokens       of whoever holds the keys at ACQUAINT_JWKS_URL")
		} else {
			p.say("  a token      acquaint token --scope %q --purposes %s", tryScope, tryPurpose)
			p.say("  a write key  acquaint token --scope admin, and with it the mutation createSource")
		}
		p.say("Ctrl-C stops it.")
	})
}

// listen reads the configuration and takes the address, before anything that takes
// time.
func (p *process) listen() (net.Listener, error) {
	if err := p.configure(); err != nil {
		return nil, err
	}
	if err := p.config.CheckExposure(); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(p.ctx, "tcp", p.config.Addr)
	if err == nil {
		return listener, nil
	}
	refused := &insight.Error{Op: "listen", Kind: insight.Unavailable, Subject: "ACQUAINT_ADDR", Message: "this address cannot be listened on", Cause: err}
	if errors.Is(err, syscall.EADDRINUSE) {
		refused.Message, refused.Cause = "another program listens on "+p.config.Addr+"; stop it, or set ACQUAINT_ADDR to another address, such as 127.0.0.1:8081", nil
	}
	return nil, refused
}

// address is where a browser on this machine finds the server.
func address(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

// ballast makes the garbage collector, which works whenever the heap has doubled, work
// after some more megabytes, where nobody has told it when: of a server that keeps little
// it would work several times a second, beside what somebody waits for. It is not touched,
// and only what may be garbage meanwhile takes memory.
func (p *process) ballast() []byte {
	if p.getenv("GOGC") != "" || p.getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, 64<<20)
}

// serve answers requests until the process is told to stop. Ready is called when
// all is set up, before the first answer. The playground has purpose and token
// filled in.
func (p *process) serve(listener net.Listener, s *store.Store, purpose, token string, ready func()) (err error) {
	ballast := p.ballast()
	defer runtime.KeepAlive(ballast)
	c := p.config
	secret, err := c.TokenSecret()
	if err != nil {
		return err
	}
	tracing, err := server.NewTracing(p.ctx, p.getenv, buildVersion())
	if err != nil {
		return err
	}
	pipeline, desk := ingest.New(s), decision.New(s.KeepDecisions, s.Withhold)
	// They outlive the server, whose last requests wait for them.
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), stopTime)
		defer cancel()
		err = errors.Join(err, pipeline.Close(ctx), desk.Close(ctx))
		if failed := tracing.Shutdown(ctx); failed != nil {
			p.log.Warn("the last traces could not be sent", "detail", insight.Detail(failed))
		}
	}()
	working, done := context.WithCancel(p.ctx)
	defer done()
	auth, err := server.NewAuthenticator(working, server.AuthOptions{
		Secret: secret, JWKSURL: c.JWKSURL, Issuer: c.Issuer, Audience: c.Audience, Logger: p.log,
	})
	if err != nil {
		return err
	}
	decoder := p.decoder(s)
	models := population.New(s, false)
	defer models.Close()
	sender := webhook.NewSender(s, webhook.Options{Allow: c.Destinations, Logger: p.log})
	graphql, err := server.NewGraphQL(server.GraphQLOptions{
		Schema: graph.New(graph.Options{Store: s, Ingest: pipeline, Decoder: decoder, Models: models, Destinations: c.Destinations, Retry: sender.Retry, Decide: desk.Submit}),
		Auth:   auth, Introspection: c.Introspection, Origins: c.Origins, Logger: p.log, Tracer: tracing.Tracer(),
	})
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	if err := registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "acquaint_ingest_events_waiting", Help: "Events that wait for a transaction.",
	}, func() float64 { return float64(pipeline.Waiting()) })); err != nil {
		return err
	}
	for _, m := range deliveries(sender) {
		if err := registry.Register(m); err != nil {
			return err
		}
	}
	shell, err := server.New(server.Options{
		Graph:      graphql,
		Playground: web.Playground(web.Options{Token: token, Purpose: purpose, Tabs: tabs()}),
		Tracking: server.NewTracking(server.TrackingOptions{
			Sources: s, Submit: pipeline.Submit, Decoder: decoder, Logger: p.log, PublicURL: c.PublicURL,
		}),
		Exports: server.NewExports(server.ExportsOptions{
			Redeem: s.Redeem, Logger: p.log,
			Write: func(ctx context.Context, w io.Writer, request *insight.Request) error {
				_, err := p.writeArchive(ctx, s, w, request)
				return err
			},
		}),
		Members: server.NewMembers(server.MembersOptions{
			Auth: auth, Logger: p.log,
			Write: func(ctx context.Context, w io.Writer, v *insight.Viewer, segment, format string, traits []string, begin func(string)) error {
				_, err := writeMembers(ctx, s, w, v, segment, format, traits, begin)
				return err
			},
		}),
		ReceiptKey: &server.ReceiptKey{ID: s.ReceiptKey().ID(), Algorithm: receipt.Algorithm, Public: s.ReceiptKey().Public()},
		Ready:      s.Ready, Registry: registry, Logger: p.log, Tracer: tracing.Tracer(), Hosts: c.ServedHosts(), Deadline: stopTime,
	})
	if err != nil {
		return err
	}
	var jobs sync.WaitGroup
	jobs.Go(func() { p.retain(working, s) })
	jobs.Go(func() { p.digest(working, s) })
	jobs.Go(func() { audiences(s, p.log, sender.Wake).Run(working) })
	jobs.Go(func() { sender.Run(working) })
	defer func() {
		done()
		jobs.Wait()
	}()
	ready()
	return shell.Serve(p.ctx, listener)
}

// audiences keeps the memberships of segments right when nothing happens.
func audiences(s *store.Store, log *slog.Logger, changed func()) *audience.Keeper {
	return audience.NewKeeper(audience.Options{
		Segments: s, Logger: log, Changed: changed,
		Models: func(ctx context.Context, p *insight.Purpose, needs segment.Needs, asOf time.Time) (*segment.Models, error) {
			survey, err := s.Survey(ctx, &insight.Viewer{Subject: "segments", Scopes: []insight.Scope{insight.ScopeInsightsRead}, Purposes: []string{p.Key}})
			if err != nil {
				return nil, err
			}
			return population.ForSegments(ctx, survey, needs, asOf)
		},
	})
}

// deliveries are what a sender does, for /metrics.
func deliveries(s *webhook.Sender) []prometheus.Collector {
	attempts := func(result string, n func(webhook.Counts) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "acquaint_deliveries_total", Help: "Attempts to tell a destination of a change, by what became of them.", ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(n(s.Counts())) })
	}
	return []prometheus.Collector{
		attempts("delivered", func(c webhook.Counts) uint64 { return c.Delivered }),
		attempts("failed", func(c webhook.Counts) uint64 { return c.Failed }),
		attempts("dropped", func(c webhook.Counts) uint64 { return c.Dropped }),
		attempts("released", func(c webhook.Counts) uint64 { return c.Released }),
		attempts("lost", func(c webhook.Counts) uint64 { return c.Lost + c.Unsettled }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "acquaint_destinations_disabled_total", Help: "Destinations that were disabled because they failed for too long."},
			func() float64 { return float64(s.Counts().Disabled) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "acquaint_deliveries_in_flight", Help: "Attempts that are under way."},
			func() float64 { return float64(s.Counts().Flying) }),
	}
}

// retainEvery is how often what is past its retention is removed.
const retainEvery = 24 * time.Hour

// retain removes what no purpose is left for, at once and every day, and tells what it
// removed; and what need not be remembered of memberships any longer.
func (p *process) retain(ctx context.Context, s *store.Store) {
	for {
		done, err := s.Retain(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.log.Error("what is past its retention could not be removed", "detail", insight.Detail(err))
		case done.Interactions+done.Individuals > 0:
			p.log.Info("retention", "interactions", done.Interactions, "individuals", done.Individuals, "suppressed", done.Suppressed, "looked", done.Looked)
		}
		if _, err := s.Prune(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("what is no longer remembered of memberships could not be removed", "detail", insight.Detail(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(retainEvery):
		}
	}
}

// How often digests that are missing are looked for, and, while others write too, how
// many times as long as it took to write some nothing is done after that, for them to
// have their turn.
const (
	digestEvery = time.Second
	digestRest  = 4
)

// digest writes the digests of those of whom something changed.
func (p *process) digest(ctx context.Context, s *store.Store) {
	for {
		began, moved := time.Now(), s.Moved()
		n, err := s.Digest(ctx)
		rest := digestEvery
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.log.Error("digests could not be written", "detail", insight.Detail(err))
			rest = time.Minute
		case n > 0 && s.Moved() == moved:
			continue // nobody else writes
		case n > 0:
			rest = digestRest * time.Since(began)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}

// getenv looks a variable up in the process's environment.
func (p *process) getenv(name string) string {
	value := ""
	for _, entry := range p.environ {
		if rest, ok := strings.CutPrefix(entry, name+"="); ok {
			value = rest
		}
	}
	return value
}

// tabs are the examples that the playground opens with.
func tabs() []web.Tab {
	var tabs []web.Tab
	for _, e := range examples.All() {
		tabs = append(tabs, web.Tab{Name: e.Name, Query: e.Query, Variables: e.Variables})
	}
	return tabs
}
