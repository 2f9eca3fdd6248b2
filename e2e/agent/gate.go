package main

import (
	"io"
	"net"
	"strings"
	"sync"
)

// gate stands between the agent and one member: closed, it cuts what is under way and takes nothing new.
type gate struct {
	sync.Mutex
	to       string
	listener net.Listener
	conns    map[net.Conn]bool
	closed   bool
}

func newGate(memberURL string) (*gate, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{to: strings.TrimPrefix(memberURL, "http://"), listener: l, conns: map[net.Conn]bool{}}
	go g.serve()
	return g, nil
}

// gates are one for each member; the urls are what the agent is told.
func gates(w *world) (all []*gate, urls []string, err error) {
	for _, m := range w.cluster.Members {
		g, err := newGate(m.Client)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, g)
		urls = append(urls, "http://"+g.listener.Addr().String())
	}
	return all, urls, nil
}

func (g *gate) serve() {
	for {
		in, err := g.listener.Accept()
		if err != nil {
			return
		}
		go g.join(in)
	}
}

func (g *gate) join(in net.Conn) {
	out, err := net.Dial("tcp", g.to)
	if err != nil || !g.hold(in, out) {
		in.Close()
		if out != nil {
			out.Close()
		}
		return
	}
	go func() { _, _ = io.Copy(out, in); out.Close() }()
	_, _ = io.Copy(in, out)
	in.Close()
	g.Lock()
	defer g.Unlock()
	delete(g.conns, in)
	delete(g.conns, out)
}

func (g *gate) hold(conns ...net.Conn) bool {
	g.Lock()
	defer g.Unlock()
	if g.closed {
		return false
	}
	for _, c := range conns {
		g.conns[c] = true
	}
	return true
}

func (g *gate) close() {
	g.Lock()
	defer g.Unlock()
	g.closed = true
	for c := range g.conns {
		c.Close()
	}
	clear(g.conns)
}

func (g *gate) open() {
	g.Lock()
	defer g.Unlock()
	g.closed = false
}
