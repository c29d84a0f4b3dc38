// SPDX-License-Identifier: Apache-2.0
// Lines that onggi, crun and runc have written, and the exit status that docker gives then.
#include "bundle/runtime_log.h"

#include <doctest/doctest.h>

namespace onggi::image {
namespace {

TEST_CASE(
    "A runtime's log tells its own failure from the program's, as docker's exit statuses do") {
  struct Row {
    const char* log;
    std::optional<int> status;
  };
  const Row rows[] = {
      {"", std::nullopt},
      {"no JSON at all", std::nullopt},
      {R"({"msg":"a field is ignored","level":"warning"})", std::nullopt},
      {R"({"msg":"process.args[0]: exec 'x': executable file not found in $PATH","level":"error","field":"process.args[0]"})",
       127},
      {R"({"msg":"process.args[0]: exec '/x': no such file or directory","level":"error","field":"process.args[0]","errno":"ENOENT"})",
       127},
      {R"({"msg":"process.args[0]: exec '/etc': is a directory","level":"error","field":"process.args[0]"})",
       126},
      {R"({"msg":"process.args[0]: exec '/x': exec format error","level":"error","field":"process.args[0]"})",
       126},
      {R"({"msg":"mounts[3]: open '/x': no such file or directory","level":"error","field":"mounts[3]"})",
       125},
      {R"({"msg":"process.cwd: chdir '/x': permission denied","level":"error","field":"process.cwd"})",
       125},
      {R"({"msg":"executable file `x` not found in $PATH: No such file or directory","level":"error"})",
       127},
      {R"({"msg":"open executable: Permission denied","level":"error"})", 126},
      {R"({"level":"error","msg":"runc run failed: unable to start container process: exec: \"x\": executable file not found in $PATH"})",
       127},
      {R"({"level":"error","msg":"runc run failed: unable to start container process: exec: \"/etc\": is a directory"})",
       126},
      {R"({"level":"error","msg":"cannot stat `/x`: No such file or directory"})", 125},
      {"{\"level\":\"warning\",\"msg\":\"x\"}\n{\"level\":\"error\",\"msg\":\"y\"}\n", 125},
  };
  for (const Row& row : rows) {
    CAPTURE(row.log);
    CHECK(failure_in_runtime_log(row.log) == row.status);
  }
}

}  // namespace
}  // namespace onggi::image
