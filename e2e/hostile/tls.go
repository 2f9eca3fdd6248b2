package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kvorum.io/e2e/local"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	encoded     []byte
}

func newAuthority(name string) *authority {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, _ := x509.CreateCertificate(crand.Reader, template, template, &key.PublicKey, key)
	certificate, _ := x509.ParseCertificate(der)
	return &authority{certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issue makes a certificate and its key as PEM.
func (a *authority) issue(name string, notAfter time.Time) (certificate, key []byte) {
	own, _ := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour),
		NotAfter: notAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, _ := x509.CreateCertificate(crand.Reader, template, a.certificate, &own.PublicKey, a.key)
	encodedKey, _ := x509.MarshalPKCS8PrivateKey(own)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encodedKey})
}

// secured attacks another member, one that takes TLS with client certificates alone.
func secured(server, dir string) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		ca, other := newAuthority("ca"), newAuthority("another")
		certificate, key := ca.issue("member", time.Now().Add(time.Hour))
		for name, content := range map[string][]byte{"ca.pem": ca.encoded, "cert.pem": certificate, "key.pem": key} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				return err
			}
		}
		c, err := local.New(server, filepath.Join(dir, "tls"), 1, "--cert-file", filepath.Join(dir, "cert.pem"), "--key-file", filepath.Join(dir, "key.pem"),
			"--trusted-ca-file", filepath.Join(dir, "ca.pem"), "--client-cert-auth")
		if err != nil {
			return err
		}
		m := c.Members[0]
		m.Client = strings.Replace(m.Client, "http:", "https:", 1)
		defer c.StopAll()
		if err := c.Start(m); err != nil {
			return err
		}
		address := strings.TrimPrefix(m.Client, "https://")
		good, err := pair(ca.issue("client", time.Now().Add(time.Hour)))
		if err != nil {
			return err
		}
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{m.Client}, DialTimeout: startLimit, TLS: trusting(ca, good), Logger: zap.NewNop()})
		if err != nil {
			return err
		}
		defer client.Close()
		if _, err := client.Put(ctx, "a", "b"); err != nil {
			return fmt.Errorf("with the right certificate: %w", err)
		}
		if err := strangers(address, ca, other); err != nil {
			return err
		}
		secure := &target{Rand: t.Rand, member: m, client: client, tls: trusting(ca, good)}
		if err := secure.fuzz(address); err != nil {
			return err
		}
		if !m.Running() {
			return fmt.Errorf("the member with TLS ended: %s", m.Tail())
		}
		if _, err = client.Put(ctx, "a", "c"); err != nil {
			return err
		}
		return tokens(ctx, secure)
	}
}

func pair(certificate, key []byte) (tls.Certificate, error) { return tls.X509KeyPair(certificate, key) }

func trusting(ca *authority, own ...tls.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(ca.certificate)
	return &tls.Config{RootCAs: pool, Certificates: own, NextProtos: []string{"h2"}}
}

// strangers come without TLS, without certificate, with one that is wrong or too old, and with versions that are.
func strangers(address string, ca, other *authority) error {
	expired, err := pair(ca.issue("expired", time.Now().Add(-time.Hour)))
	if err != nil {
		return err
	}
	foreign, err := pair(other.issue("foreign", time.Now().Add(time.Hour)))
	if err != nil {
		return err
	}
	good, err := pair(ca.issue("client", time.Now().Add(time.Hour)))
	if err != nil {
		return err
	}
	old := trusting(ca, good)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	for what, config := range map[string]*tls.Config{"no certificate": trusting(ca), "an expired certificate": trusting(ca, expired),
		"a foreign certificate": trusting(ca, foreign), "TLS 1.1": old} {
		c, err := dial(address)
		if err != nil {
			return err
		}
		secured := tls.Client(c, withName(config))
		err = secured.Handshake()
		if err == nil {
			// With TLS 1.3 the refusal comes after the client's side of the handshake.
			_, _ = secured.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
			_, err = secured.Read(make([]byte, 100))
		}
		c.Close()
		if err == nil {
			return fmt.Errorf("%s was let in", what)
		}
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			return fmt.Errorf("%s was not answered", what)
		}
	}
	if code, text, err := raw(address, call("/etcdserverpb.KV/Range"), message([]byte{10, 1, 'a'})); err != nil || code != "closed" {
		return fmt.Errorf("without TLS: %s %s %v", code, text, err)
	}
	if status, err := first(address, []byte("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil || status == "200" {
		return fmt.Errorf("HTTP without TLS: %s %v", status, err)
	}
	return nil
}

func withName(config *tls.Config) *tls.Config {
	config.ServerName = "127.0.0.1"
	return config
}

// tokens switches permissions on and comes with all kinds of tokens; every one is refused in etcd's words.
func tokens(ctx context.Context, t *target) error {
	if _, err := t.client.UserAdd(ctx, "root", "root"); err != nil {
		return err
	}
	if _, err := t.client.UserGrantRole(ctx, "root", "root"); err != nil {
		return err
	}
	if _, err := t.client.AuthEnable(ctx); err != nil {
		return err
	}
	granted, err := t.client.Authenticate(ctx, "root", "root")
	if err != nil {
		return err
	}
	defer func() {
		off := metadata.AppendToOutgoingContext(ctx, "token", granted.Token)
		_, _ = t.client.AuthDisable(off)
	}()
	return t.wrongTokens(ctx, granted.Token)
}

func (t *target) wrongTokens(ctx context.Context, right string) error {
	wrong := []string{"x", ".", "..", "a.b.c", right + "x", right[:len(right)-1] + "x", right[1:], strings.ToUpper(right), strings.Repeat("a", 100_000), "abcdefghijklmnop.-1",
		"abcdefghijklmnop.99999999999999999999", "eyJhbGciOiJub25lIn0.eyJ1c2VybmFtZSI6InJvb3QifQ.", "Bearer", "Basic cm9vdDpyb290", "%00"}
	conn, err := grpc.NewClient(strings.TrimPrefix(t.member.Client, "https://"), grpc.WithTransportCredentials(credentials.NewTLS(t.tls)))
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, token := range wrong {
		for _, name := range []string{"token", "authorization"} {
			with, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(ctx, name, token), 10*time.Second)
			_, err := pb.NewKVClient(conn).Range(with, &pb.RangeRequest{Key: []byte("a")})
			cancel()
			if status.Code(err) != codes.Unauthenticated || status.Convert(err).Message() != "etcdserver: invalid auth token" {
				return fmt.Errorf("%s %.60q: %v", name, token, err)
			}
		}
	}
	return nil
}
