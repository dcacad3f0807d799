// Bench measures what one authenticated request costs a server in CPU time, as ratios in one run: Cardea's whole stack
// (Required, user, messages, CSRF token, profile Default) beside a bare handler and beside alexedwards/scs with its SQLite
// store and a SELECT of the user, each over two drivers for SQLite.
//
// Each subject is a process of its own that serves HTTP on loopback. The client, in this process, asks them in turns, and each
// tells its own CPU time, garbage collection and the kernel's share included. The medians of the rounds are printed.
//
//	go run . -n 20000 -rounds 3
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"time"
)

func main() {
	n := flag.Int("n", 20000, "requests a round")
	rounds := flag.Int("rounds", 3, "rounds")
	serve := flag.String("serve", "", "for the program's own use: be that subject")
	flag.Parse()
	if *serve != "" {
		if err := be(*serve); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := compare(*n, *rounds); err != nil {
		log.Fatal(err)
	}
}

func compare(n, rounds int) error {
	var all []*process
	defer func() {
		for _, p := range all {
			p.stop()
		}
	}()
	for _, name := range names() {
		p, err := start(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, p)
		if _, err := p.spend(n / 10); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	cost := map[string][]time.Duration{}
	for range rounds {
		for _, p := range all {
			spent, err := p.spend(n)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			cost[p.name] = append(cost[p.name], spent)
		}
	}
	base := median(cost[all[0].name])
	fmt.Printf("%-24s %12s %9s\n", "", "CPU/request", "ratio")
	for _, p := range all {
		m := median(cost[p.name])
		fmt.Printf("%-24s %12v %9.2f\n", p.name, (m / time.Duration(n)).Round(10*time.Nanosecond), float64(m)/float64(base))
	}
	dir, err := os.MkdirTemp("", "cardea-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const counted = 100
	total, err := count(dir, counted)
	if err != nil {
		return err
	}
	fmt.Printf("SQLite's own trace: %d statements for %d authenticated requests\n", total, counted)
	return nil
}

func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
