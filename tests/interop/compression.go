// The other end of compression.py, made of gorilla/websocket and nhooyr.io/websocket (which goes on as coder/websocket).
//
// "compression server" is an echo server, whose path says which of them; it prints its address.
// "compression client URL" opens a connection to URL with each, as often as it has modes. Prints one JSON line for each,
// [label, fault], with an empty fault where all is well.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	nhooyr "nhooyr.io/websocket"
)

const limit = 60 * time.Second // for one connection, which takes a second

// connection is what both libraries have.
type connection interface {
	send(text bool, data []byte) error
	receive() (text bool, data []byte, err error)
	// fragments sends a text message piece by piece.
	fragments(pieces []string) error
	close() error
	// end ends TCP, after the closing handshake or without.
	end()
}

var modes = []struct {
	name   string
	dial   func(url string) (connection, error)
	accept func(w http.ResponseWriter, r *http.Request) (connection, error)
}{
	{"gorilla", dialGorilla, acceptGorilla},
	{"nhooyr", dialNhooyr(nhooyr.CompressionContextTakeover), acceptNhooyr(nhooyr.CompressionContextTakeover)},
	{"nhooyr-alone", dialNhooyr(nhooyr.CompressionNoContextTakeover), acceptNhooyr(nhooyr.CompressionNoContextTakeover)},
}

func main() {
	if os.Args[1] == "server" {
		serve()
		return
	}
	for _, mode := range modes {
		fault := ""
		if err := talk(func() (connection, error) { return mode.dial(os.Args[2] + "/" + mode.name) }); err != nil {
			fault = err.Error()
		}
		line, _ := json.Marshal([]string{mode.name, fault})
		fmt.Println(string(line))
	}
}

func serve() {
	for _, mode := range modes {
		accept := mode.accept
		http.HandleFunc("/"+mode.name, func(w http.ResponseWriter, r *http.Request) {
			c, err := accept(w, r)
			for err == nil {
				var text bool
				var data []byte
				if text, data, err = c.receive(); err == nil {
					err = c.send(text, data)
				}
			}
			fmt.Println("ended:", err)
			if c != nil {
				c.end()
			}
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("listening on ws://%s\n", listener.Addr())
	panic(http.Serve(listener, nil))
}

func talk(dial func() (connection, error)) error {
	c, err := dial()
	if err != nil {
		return err
	}
	noise := rand.New(rand.NewSource(1))
	for _, size := range []int{0, 1, 125, 126, 1024, 65536, 1 << 20} {
		random := make([]byte, size)
		noise.Read(random)
		if err := echo(c, true, text(size)); err != nil {
			return err
		}
		if err := echo(c, false, random); err != nil {
			return err
		}
	}
	for i := 0; i < 20; i++ {
		similar := strings.Repeat(fmt.Sprintf(`{"id":%d,"name":"Grüße"}`, i), 20)
		if err := echo(c, true, []byte(similar)); err != nil {
			return err
		}
	}
	pieces := []string{"in pieces, ", strings.Repeat("一片一片, ", 2000), "the last"}
	if err := c.fragments(pieces); err != nil {
		return err
	}
	if err := expect(c, true, []byte(strings.Join(pieces, ""))); err != nil {
		return err
	}
	return c.close()
}

// text is so many bytes of lines, none of their characters cut.
func text(size int) []byte {
	var lines []byte
	for i := 0; len(lines) < size; i++ {
		lines = append(lines, fmt.Sprintf("%d Grüße, 世界\n", i)...)
	}
	return bytes.ToValidUTF8(lines[:size], []byte("x"))
}

func echo(c connection, text bool, data []byte) error {
	if err := c.send(text, data); err != nil {
		return err
	}
	return expect(c, text, data)
}

func expect(c connection, text bool, data []byte) error {
	seenText, seen, err := c.receive()
	if err == nil && (seenText != text || !bytes.Equal(seen, data)) {
		err = fmt.Errorf("an echo of %d bytes is not what was sent", len(data))
	}
	return err
}

type gorillaConnection struct{ *websocket.Conn }

func dialGorilla(url string) (connection, error) {
	dialer := websocket.Dialer{EnableCompression: true, HandshakeTimeout: limit}
	c, _, err := dialer.Dial(url, nil)
	return gorillaConnection{c}, err
}

func acceptGorilla(w http.ResponseWriter, r *http.Request) (connection, error) {
	upgrader := websocket.Upgrader{EnableCompression: true}
	c, err := upgrader.Upgrade(w, r, nil)
	return gorillaConnection{c}, err
}

func (c gorillaConnection) send(text bool, data []byte) error {
	kind := websocket.BinaryMessage
	if text {
		kind = websocket.TextMessage
	}
	return c.WriteMessage(kind, data)
}

func (c gorillaConnection) receive() (bool, []byte, error) {
	_ = c.SetReadDeadline(time.Now().Add(limit))
	kind, data, err := c.ReadMessage()
	return kind == websocket.TextMessage, data, err
}

func (c gorillaConnection) fragments(pieces []string) error {
	writer, err := c.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	for _, piece := range pieces {
		if _, err := writer.Write([]byte(piece)); err != nil {
			return err
		}
	}
	return writer.Close()
}

func (c gorillaConnection) close() error {
	frame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.WriteControl(websocket.CloseMessage, frame, time.Now().Add(limit)); err != nil {
		return err
	}
	if _, _, err := c.receive(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		return fmt.Errorf("after Close: %v", err)
	}
	c.end()
	return nil
}

func (c gorillaConnection) end() {
	_ = c.Conn.Close()
}

type nhooyrConnection struct{ *nhooyr.Conn }

func dialNhooyr(mode nhooyr.CompressionMode) func(url string) (connection, error) {
	return func(url string) (connection, error) {
		options := nhooyr.DialOptions{CompressionMode: mode, CompressionThreshold: 1}
		c, _, err := nhooyr.Dial(context.Background(), url, &options)
		if err != nil {
			return nil, err
		}
		c.SetReadLimit(1 << 30)
		return nhooyrConnection{c}, nil
	}
}

func acceptNhooyr(mode nhooyr.CompressionMode) func(w http.ResponseWriter, r *http.Request) (connection, error) {
	return func(w http.ResponseWriter, r *http.Request) (connection, error) {
		options := nhooyr.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1}
		c, err := nhooyr.Accept(w, r, &options)
		if err != nil {
			return nil, err
		}
		c.SetReadLimit(1 << 30)
		return nhooyrConnection{c}, nil
	}
}

func kindOf(text bool) nhooyr.MessageType {
	if text {
		return nhooyr.MessageText
	}
	return nhooyr.MessageBinary
}

func (c nhooyrConnection) send(text bool, data []byte) error {
	return c.Write(context.Background(), kindOf(text), data)
}

func (c nhooyrConnection) receive() (bool, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	kind, data, err := c.Read(ctx)
	return kind == nhooyr.MessageText, data, err
}

func (c nhooyrConnection) fragments(pieces []string) error {
	writer, err := c.Writer(context.Background(), nhooyr.MessageText)
	if err != nil {
		return err
	}
	for _, piece := range pieces {
		if _, err := writer.Write([]byte(piece)); err != nil {
			return err
		}
	}
	return writer.Close()
}

func (c nhooyrConnection) close() error {
	return c.Conn.Close(nhooyr.StatusNormalClosure, "")
}

// end does nothing: Read, which returned an error, has ended TCP.
func (c nhooyrConnection) end() {}
