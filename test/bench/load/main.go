// load sends HTTPS requests over kept-alive connections for a bounded time and prints one JSON line: requests per
// second, latency percentiles (ms), status counts, and CPU microseconds per request of the server's processes.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// cpuTicks is the user+system time of a process, in clock ticks (1/100 s).
func cpuTicks(pid string) int64 {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	u, _ := strconv.ParseInt(f[11], 10, 64)
	s, _ := strconv.ParseInt(f[12], 10, 64)
	return u + s
}

func allTicks(pids []string) []int64 {
	ticks := make([]int64, len(pids))
	for i, pid := range pids {
		ticks[i] = cpuTicks(pid)
	}
	return ticks
}

// readLines gives the lines of a file that are not empty.
func readLines(file string) []string {
	b, err := os.ReadFile(file)
	if err != nil {
		fail(err)
	}
	var lines []string
	for _, line := range strings.Split(string(b), "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, "load:", reason)
	os.Exit(1)
}

// newClient makes a client with the certificate and key in two files.
func newClient(pool *x509.CertPool, files []string, conns int) *http.Client {
	if len(files) != 2 {
		fail("a client needs a certificate and a key")
	}
	pair, err := tls.LoadX509KeyPair(files[0], files[1])
	if err != nil {
		fail(err)
	}
	tc := &tls.Config{RootCAs: pool, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}
	tr := &http.Transport{TLSClientConfig: tc, MaxIdleConnsPerHost: conns, MaxConnsPerHost: conns}
	return &http.Client{Transport: tr, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func tenths(x float64) float64 { return math.Round(x*10) / 10 }

func main() {
	urls := flag.String("urls", "", "file with one target a line, used in turn; {i} becomes a running number")
	method := flag.String("method", "GET", "")
	body := flag.String("body", "", "{i} becomes the running number")
	bodies := flag.String("bodies", "", "file with one body a line, used in turn with the targets, in place of -body")
	bodyType := flag.String("type", "application/json", "content type of the body")
	tag := flag.String("tag", "", "what the sender has already, in the header If-None-Match")
	first := flag.Int64("first", 0, "the number to begin with")
	ca := flag.String("ca", "", "CA bundle of the server")
	cert := flag.String("cert", "", "client certificate")
	key := flag.String("key", "", "client key")
	clients := flag.String("clients", "", "file with certificate and key a line, in place of both: connection k is client k mod n, and sends the targets and bodies at places k mod n")
	conns := flag.Int("c", 16, "connections")
	dur := flag.Duration("d", 8*time.Second, "counted time")
	warm := flag.Duration("warm", 3*time.Second, "time before counting")
	warmCount := flag.Int64("warmcount", 0, "requests before counting, in place of time")
	count := flag.Int64("count", 0, "counted requests after which it ends before its time")
	pids := flag.String("pids", "", "comma-separated process ids whose CPU time is measured")
	flag.Parse()
	targets := readLines(*urls)
	if len(targets) == 0 {
		fail("no targets in " + *urls)
	}
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(*ca)
	if err != nil {
		fail(err)
	}
	pool.AppendCertsFromPEM(pem)
	texts := []string{*body}
	if *bodies != "" {
		texts = readLines(*bodies)
	}
	if len(texts) == 0 {
		fail("no bodies in " + *bodies)
	}
	identities := [][]string{{*cert, *key}}
	if *clients != "" {
		identities = nil
		for _, line := range readLines(*clients) {
			identities = append(identities, strings.Fields(line))
		}
	}
	senders := make([]*http.Client, len(identities))
	for k, files := range identities {
		senders[k] = newClient(pool, files, *conns)
	}
	counter := *first - 1
	var counting atomic.Bool
	var counted atomic.Int64
	var answered atomic.Int64
	stop := time.Now().Add(*warm + *dur)
	isOver := func() bool {
		return !time.Now().Before(stop) || (*count > 0 && counted.Load() >= *count)
	}
	lat := make([][]float64, *conns)
	status := make([]map[int]int, *conns)
	var wg sync.WaitGroup
	for w := 0; w < *conns; w++ {
		status[w] = map[int]int{}
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			client := w % len(senders)
			for own := int64(0); !isOver(); own++ {
				n := atomic.AddInt64(&counter, 1)
				i := strconv.FormatInt(n, 10)
				place := n - *first
				if len(senders) > 1 {
					place = own*int64(len(senders)) + int64(client)
				}
				var rd io.Reader
				if text := texts[place%int64(len(texts))]; text != "" {
					rd = strings.NewReader(strings.ReplaceAll(text, "{i}", i))
				}
				target := targets[place%int64(len(targets))]
				rq, err := http.NewRequest(*method, strings.ReplaceAll(target, "{i}", i), rd)
				if err != nil {
					fail(err)
				}
				if rd != nil {
					rq.Header.Set("Content-Type", *bodyType)
				}
				if *tag != "" {
					rq.Header.Set("If-None-Match", *tag)
				}
				on := counting.Load()
				t := time.Now()
				rs, err := senders[client].Do(rq)
				code := 0
				if err == nil {
					io.Copy(io.Discard, rs.Body)
					rs.Body.Close()
					code = rs.StatusCode
				}
				answered.Add(1)
				if on {
					counted.Add(1)
					lat[w] = append(lat[w], float64(time.Since(t).Microseconds())/1000)
					status[w][code]++
				}
			}
		}(w)
	}
	if *warmCount > 0 {
		for answered.Load() < *warmCount && time.Now().Before(stop) {
			time.Sleep(time.Millisecond)
		}
	} else {
		time.Sleep(*warm)
	}
	var ps []string
	if *pids != "" {
		ps = strings.Split(*pids, ",")
	}
	c0, t0 := allTicks(ps), time.Now()
	counting.Store(true)
	wg.Wait()
	secs, c1 := time.Since(t0).Seconds(), allTicks(ps)
	all := []float64{}
	st := map[int]int{}
	for w := range lat {
		all = append(all, lat[w]...)
		for k, v := range status[w] {
			st[k] += v
		}
	}
	sort.Float64s(all)
	q := func(p float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return all[int(p*float64(len(all)-1))]
	}
	cpu := make([]float64, len(ps))
	for i := range ps {
		cpu[i] = tenths(float64(c1[i]-c0[i]) * 10000 / float64(max(1, len(all))))
	}
	out := map[string]any{"count": len(all), "perSecond": tenths(float64(len(all)) / secs), "p50Millis": q(.5), "p99Millis": q(.99),
		"statuses": st, "cpuMicros": cpu}
	b, _ := json.Marshal(out)
	fmt.Println(string(b))
}
