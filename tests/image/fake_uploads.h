// SPDX-License-Identifier: Apache-2.0
// Sessions of uploads for a FakeRegistry: each answer has a new address, and older ones are gone.
// What differs from an honest registry is switched on by a test.
#pragma once

#include "registry_fixture.h"

namespace onggi::image::test {

struct UploadFaults {
  size_t largest_body = SIZE_MAX;  // of a request; 413 above it
  size_t least_chunk = 0;          // announced, and smaller ones are refused but for the last
  bool stalls_range = false;       // the count of bytes stays at the first chunk's
  bool writes_bytes = false;       // "bytes=0-9"
  size_t most_taken = SIZE_MAX;    // of a chunk
  bool has_no_status = false;      // GET of a session: 405
  bool forgets_cut = false;        // a session whose connection broke is gone
  bool refuses_mount = false;      // 202
  int mount_status = 0;            // instead of 201 and 202
  std::string announces = {};      // as Docker-Content-Digest
};

class FakeUploads {
 public:
  explicit FakeUploads(FakeRegistry& server, UploadFaults faults = {}) : faults_(faults) {
    server.respond([this](const Received& request) { return respond(request); });
  }

  std::optional<Answer> respond(const Received& request) {
    const std::lock_guard lock(mutex_);
    const std::string uploads = "/v2/team/app/blobs/uploads/";
    if (request.method == "HEAD" && request.target.find("/blobs/") != std::string::npos) {
      const bool is_there = blobs_.count(request.target.substr(request.target.rfind('/') + 1)) != 0;
      return Answer{is_there ? 200 : 404};
    }
    if (request.target.find(uploads) != 0) return std::nullopt;
    if (request.method == "POST") return post(request);
    return session(request, uploads);
  }

  bool has(const std::string& bytes) const {
    const std::lock_guard lock(mutex_);
    const auto found = blobs_.find(digest_of(bytes).text());
    return found != blobs_.end() && found->second == bytes;
  }
  void add(const std::string& bytes) { blobs_[digest_of(bytes).text()] = bytes; }
  size_t open_sessions() const {
    const std::lock_guard lock(mutex_);
    return sessions_.size();
  }

 private:
  struct Session {
    std::string bytes, address;
    size_t first_chunk = 0;
  };

  Answer post(const Received& request) {
    if (request.target.find("mount=") != std::string::npos && faults_.mount_status != 0)
      return {.status = faults_.mount_status};
    if (request.target.find("mount=") != std::string::npos && !faults_.refuses_mount) return {201};
    const std::string name = std::to_string(++count_);
    Answer answer = {202, {location(name, sessions_[name])}};
    if (faults_.least_chunk != 0)
      answer.headers.push_back("OCI-Chunk-Min-Length: " + std::to_string(faults_.least_chunk));
    return answer;
  }

  std::string location(const std::string& name, Session& session) {
    session.address =
        "/v2/team/app/blobs/uploads/" + name + "?_state=" + std::to_string(++count_) + "%3D";
    return "Location: " + session.address;
  }

  Answer session(const Received& request, const std::string& uploads) {
    const std::string name =
        request.target.substr(uploads.size(), request.target.find('?') - uploads.size());
    const auto found = sessions_.find(name);
    if (found == sessions_.end() || request.target.find(found->second.address) != 0)
      return {404, {}, R"({"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]})"};
    Session& session = found->second;
    if (request.method == "DELETE") {
      sessions_.erase(found);
      return {204};
    }
    if (request.method == "GET" && faults_.has_no_status) return {405};
    if (request.method == "GET") return {204, {location(name, session), range(session)}};
    if (request.body.size() > faults_.largest_body) return {413};
    if (request.is_cut && faults_.forgets_cut) {
      sessions_.erase(found);
      return {500};
    }
    return request.method == "PATCH" ? patch(request, name, session) : put(request, name, session);
  }

  Answer patch(const Received& request, const std::string& name, Session& session) {
    const std::string expected = std::to_string(session.bytes.size()) + "-" +
                                 std::to_string(session.bytes.size() + request.body.size() - 1);
    if (!request.is_cut && request.headers.at("content-range") != expected)
      return {416, {location(name, session), range(session)}};
    session.bytes += request.body.substr(0, faults_.most_taken);
    if (session.first_chunk == 0) session.first_chunk = session.bytes.size();
    return {202, {location(name, session), range(session)}};
  }

  Answer put(const Received& request, const std::string& name, Session& session) {
    session.bytes += request.body;
    if (request.is_cut) return {500};
    const std::string digest = digest_of(session.bytes).text();
    if (request.target.find("&digest=sha256%3A" + digest.substr(7)) == std::string::npos)
      return {400, {}, R"({"errors":[{"code":"DIGEST_INVALID"}]})"};
    blobs_[digest] = session.bytes;
    sessions_.erase(name);
    return {201,
            {"Docker-Content-Digest: " + (faults_.announces.empty() ? digest : faults_.announces)}};
  }

  std::string range(const Session& session) const {
    const size_t size = faults_.stalls_range ? session.first_chunk : session.bytes.size();
    return std::string("Range: ") + (faults_.writes_bytes ? "bytes=" : "") + "0-" +
           std::to_string(size == 0 ? 0 : size - 1);
  }

  const UploadFaults faults_;
  mutable std::mutex mutex_;
  int count_ = 0;
  std::map<std::string, Session> sessions_;
  std::map<std::string, std::string> blobs_;
};

}  // namespace onggi::image::test
