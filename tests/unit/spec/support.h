// SPDX-License-Identifier: Apache-2.0
// What the tests of src/spec share: a document from fragments, and an error as one line.
#pragma once

#include "base/result.h"
#include "spec/parse.h"
#include "spec/validate.h"

#include <string>
#include <string_view>

namespace onggi::spec {

inline std::string line_of(const Error& error) {
  std::string line(error.place.view());
  return line.append(": ").append(error.message.view());
}

// "place: message" of what parse or validate refuses, or "ok".
inline std::string verdict(std::string_view document) {
  const auto spec = parse(document);
  if (!spec) return line_of(spec.error());
  const auto valid = validate(spec.value());
  return valid ? "ok" : line_of(valid.error());
}

// A valid document with `members` ("\"process\": {…}") added to it.
inline std::string document_with(std::string_view members) {
  std::string document = R"({"ociVersion": "1.0.2", "root": {"path": "rootfs"})";
  if (!members.empty()) document.append(", ").append(members);
  return document + "}";
}
inline std::string process_with(std::string_view members) {
  std::string process = R"("process": {"cwd": "/", "args": ["sh"])";
  if (!members.empty()) process.append(", ").append(members);
  return document_with(process + "}");
}
inline std::string linux_with(std::string_view members) {
  return document_with(std::string("\"linux\": {").append(members).append("}"));
}
inline std::string resources_with(std::string_view members) {
  return linux_with(std::string("\"resources\": {").append(members).append("}"));
}
inline std::string seccomp_with(std::string_view members) {
  return linux_with(std::string(R"("seccomp": {"defaultAction": "SCMP_ACT_ALLOW", )")
                        .append(members)
                        .append("}"));
}
inline std::string mount_with(std::string_view members) {
  return document_with(
      std::string(R"("mounts": [{"destination": "/a", )").append(members).append("}]"));
}

struct Case {
  std::string document;
  std::string verdict;
};

}  // namespace onggi::spec
