// SPDX-License-Identifier: Apache-2.0
// ps(1) knows columns that people and engines (docker top) ask for by its own options, so it is
// run and its table cut down to the container's processes.
#include "cli/ps.h"

#include "base/file.h"
#include "base/json_writer.h"
#include "base/split.h"
#include "linux/spawn.h"

#include <algorithm>
#include <string>

namespace onggi::cli {
namespace {

constexpr size_t kMaxTable = 64 << 20;

Result<std::string> run_ps(Arguments arguments) {
  const std::vector<std::string> words(arguments.begin(), arguments.end());
  SpawnRequest request{.arguments = {"ps"}};
  for (const std::string& word : words) request.arguments.push_back(word.c_str());
  if (words.empty()) request.arguments.push_back("-ef");
  int pipe[2];
  const long piped = sys::call(SYS_pipe2, &pipe[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  const UniqueFd output(pipe[0]);
  UniqueFd end(pipe[1]);
  request.output = end.get();
  const Result<Child> ps = spawn_in_path("ps", std::move(request));
  if (!ps) {
    return with_hint(ps.error(), "install ps(1), or use --format json for the PIDs alone");
  }
  end.reset();
  Result<std::string> table = read_all(output.get(), "output of ps", kMaxTable);
  int status = 0;
  (void)sys::waitpid(ps.value().pid, status);
  if (table && status != 0) return make_error(ErrorKind::system, "ps failed");
  return table;
}

}  // namespace

Result<std::string> filter_table(std::string_view table, std::span<const int> pids) {
  const std::vector<std::string_view> lines = lines_of(table).all();
  const std::vector<std::string_view> columns = words_of(lines.empty() ? "" : lines[0]).all();
  const auto column = std::ranges::find(columns, "PID");
  if (column == columns.end()) {
    return with_hint(make_error(ErrorKind::invalid_config, "the output of ps has no PID column"),
                     "include it in the ps options, such as -o pid,args");
  }
  const auto index = static_cast<size_t>(column - columns.begin());
  std::string kept;
  for (std::string_view line : lines) {
    const std::vector<std::string_view> words = words_of(line).all();
    const std::optional<int> pid =
        index < words.size() ? parse_decimal<int>(words[index]) : std::nullopt;
    const bool listed = pid && std::ranges::find(pids, *pid) != pids.end();
    if (listed || line.data() == lines[0].data()) kept.append(line).append("\n");
  }
  return kept;
}

Result<int> ps_command(const Context& context, const PsOptions& options) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  const std::vector<int> pids = TRY(container_processes(runtime, context.operands[0]));
  if (options.format == PsFormat::json) {
    JsonWriter json;
    json.value(pids);
    return print(std::move(json).take() + "\n");
  }
  const std::string table = TRY(run_ps(context.operands.subspan(1)));
  const std::string kept = TRY(filter_table(table, pids));
  return print(kept);
}

}  // namespace onggi::cli
