package main

import (
	"runtime/debug"
	"strings"

	"github.com/acquaint/acquaint/internal/config"
)

type help struct {
	Topic string `arg:"" optional:"" help:"A verb, or config for the settings."`
}

// Run prints a topic's help.
func (h *help) Run(p *process) error {
	switch h.Topic {
	case "":
		_, _ = p.parser.Parse([]string{"--help"}) // what is missing on this command line does not matter
		return nil
	case "config":
		p.settings()
		return nil
	}
	for _, verb := range p.parser.Model.Children {
		if verb.Name == h.Topic {
			_, _ = p.parser.Parse([]string{h.Topic, "--help"}) // as above
			return nil
		}
	}
	return &usage{"help", "there is no such topic; acquaint --help lists the verbs, and config explains the settings"}
}

// settings prints the table of settings.
func (p *process) settings() {
	p.say("Acquaint is configured by environment variables. An empty one counts as unset.")
	for _, v := range config.Variables() {
		name := v.Name
		if v.Default != "" {
			name += " (default " + v.Default + ")"
		}
		p.say("\n%s", name)
		for _, line := range wrap(v.Meaning+".", 90) {
			p.say("    %s", line)
		}
	}
}

// wrap breaks a text into lines of at most so many bytes, where its words allow.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

type version struct{}

// Run prints the version.
func (version) Run(p *process) error { //nolint:unparam // the parser asks for an error
	p.say("acquaint %s", buildVersion())
	return nil
}

// buildVersion is the module's version as the Go tool knows it: a tag, a
// pseudo-version of the commit, or "(devel)".
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version + " " + info.GoVersion
}
