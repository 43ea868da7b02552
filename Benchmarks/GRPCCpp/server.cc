// SPDX-License-Identifier: Apache-2.0

// grpc-c++-server PORT: the echo on grpc-c++'s callback API, as gRPC's own benchmarks use it.
#include <grpcpp/grpcpp.h>

#include <iostream>
#include <memory>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "taxon/bench/v1/echo.grpc.pb.h"

using taxon::bench::v1::Batch;
using taxon::bench::v1::Echo;
using taxon::bench::v1::EchoReply;
using taxon::bench::v1::EchoRequest;

namespace {

class Replies : public grpc::ServerWriteReactor<EchoReply> {
 public:
  explicit Replies(const EchoRequest& request) : left_(request.replies()) {
    reply_.set_text(request.text());
    reply_.set_payload(request.payload());
    Next();
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      Next();
    } else {
      Finish(grpc::Status(grpc::StatusCode::UNKNOWN, "the write failed"));
    }
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (left_-- > 0) {
      StartWrite(&reply_);
    } else {
      Finish(grpc::Status::OK);
    }
  }
  int left_;
  EchoReply reply_;
};

class EchoService : public Echo::CallbackService {
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const EchoRequest* request,
                                EchoReply* reply) override {
    reply->set_text(request->text());
    reply->set_payload(request->payload());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context, const EchoRequest* request,
                                   EchoReply*) override {
    google::rpc::Status status;
    status.set_code(grpc::StatusCode::FAILED_PRECONDITION);
    status.set_message("The text " + request->text() + " is refused");
    google::rpc::ErrorInfo info;
    info.set_reason("REFUSED");
    info.set_domain("bench.taxon.dev");
    (*info.mutable_metadata())["text"] = request->text();
    status.add_details()->PackFrom(info);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(
        grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, status.message(), status.SerializeAsString()));
    return reactor;
  }

  grpc::ServerUnaryReactor* Gather(grpc::CallbackServerContext* context, const Batch*, EchoReply*) override {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<EchoReply>* Watch(grpc::CallbackServerContext*, const EchoRequest* request) override {
    return new Replies(*request);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: grpc-c++-server PORT" << std::endl;
    return 64;
  }
  EchoService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("127.0.0.1:") + argv[1], grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server(builder.BuildAndStart());
  if (!server) return 1;
  std::cout << "listening on " << argv[1] << std::endl;
  server->Wait();
}
