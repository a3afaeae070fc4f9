package bench

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profile takes a CPU profile until what it returns is called, when profiles are
// wanted and this is the round to take it of.
func (r *run) profile(name string, now bool) (end func() error) {
	if r.Profile == "" || !now {
		return func() error { return nil }
	}
	f, err := os.Create(filepath.Join(r.Profile, name+".pprof"))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	return func() error {
		if err != nil {
			return err
		}
		pprof.StopCPUProfile()
		return errors.Join(err, f.Close())
	}
}
