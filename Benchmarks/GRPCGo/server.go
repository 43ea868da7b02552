// SPDX-License-Identifier: Apache-2.0

// grpc-go-server PORT: the echo on grpc-go, as far as the attacks need it. The messages are written by hand, with the tags
// that the protobuf library goes by, so that no generator is needed.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
)

type EchoRequest struct {
	Text             string `protobuf:"bytes,1,opt,name=text,proto3"`
	Payload          []byte `protobuf:"bytes,2,opt,name=payload,proto3"`
	Replies          int32  `protobuf:"varint,3,opt,name=replies,proto3"`
	XXX_unrecognized []byte
}

func (m *EchoRequest) Reset()         { *m = EchoRequest{} }
func (m *EchoRequest) String() string { return m.Text }
func (*EchoRequest) ProtoMessage()    {}

type EchoReply struct {
	Text             string `protobuf:"bytes,1,opt,name=text,proto3"`
	Payload          []byte `protobuf:"bytes,2,opt,name=payload,proto3"`
	XXX_unrecognized []byte
}

func (m *EchoReply) Reset()         { *m = EchoReply{} }
func (m *EchoReply) String() string { return m.Text }
func (*EchoReply) ProtoMessage()    {}

type Item struct {
	Size             int32      `protobuf:"varint,1,opt,name=size,proto3"`
	Interval         int32      `protobuf:"varint,2,opt,name=interval,proto3"`
	Reply            *EchoReply `protobuf:"bytes,3,opt,name=reply,proto3"`
	XXX_unrecognized []byte
}

func (m *Item) Reset()         { *m = Item{} }
func (m *Item) String() string { return "" }
func (*Item) ProtoMessage()    {}

type Batch struct {
	Items            []*Item `protobuf:"bytes,1,rep,name=items,proto3"`
	XXX_unrecognized []byte
}

func (m *Batch) Reset()         { *m = Batch{} }
func (m *Batch) String() string { return "" }
func (*Batch) ProtoMessage()    {}

func get(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := new(EchoRequest)
	if err := decode(request); err != nil {
		return nil, err
	}
	return &EchoReply{Text: request.Text, Payload: request.Payload}, nil
}

func gather(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := new(Batch)
	if err := decode(request); err != nil {
		return nil, err
	}
	return new(EchoReply), nil
}

func watch(_ any, stream grpc.ServerStream) error {
	request := new(EchoRequest)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	reply := &EchoReply{Text: request.Text, Payload: request.Payload}
	for left := request.Replies; left > 0; left-- {
		if err := stream.SendMsg(reply); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: grpc-go-server PORT")
		os.Exit(64)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// What a server of Taxon allows by default; grpc-go's own is no limit.
	server := grpc.NewServer(grpc.MaxConcurrentStreams(100))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "taxon.bench.v1.Echo",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Get", Handler: get},
			{MethodName: "Gather", Handler: gather},
		},
		Streams: []grpc.StreamDesc{{StreamName: "Watch", Handler: watch, ServerStreams: true}},
	}, struct{}{})
	fmt.Println("listening on", os.Args[1])
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
