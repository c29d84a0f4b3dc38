// SPDX-License-Identifier: Apache-2.0
// The kernel takes a map in one write, of at most a page and 340 lines.
#include "linux/id_mappings.h"

#include "base/file.h"
#include "base/split.h"
#include "linux/id_map_program.h"

#include <string>

namespace onggi {

// A line a range: "CONTAINER HOST SIZE", in columns.
Result<std::vector<spec::IdMapping>> read_id_map(const std::string& path) {
  constexpr size_t kMaxMap = size_t{64} * 1024;
  const std::string text = TRY(read_file(AT_FDCWD, path, kMaxMap));
  std::vector<spec::IdMapping> mappings;
  for (const std::string_view line : lines_of(text)) {
    std::vector<uint32_t> numbers;
    for (const std::string_view word : words_of(line)) {
      const std::optional<uint32_t> number = parse_decimal<uint32_t>(word);
      if (number) numbers.push_back(*number);
    }
    if (numbers.size() != 3) return make_error(ErrorKind::internal, "cannot read ", path);
    mappings.push_back({numbers[0], numbers[1], numbers[2]});
  }
  return mappings;
}

Result<> write_id_map(int pid, const char* file, const std::vector<spec::IdMapping>& mappings,
                      std::string_view place) {
  std::string lines;
  for (const spec::IdMapping& mapping : mappings) {
    lines += std::to_string(mapping.container_id) + " " + std::to_string(mapping.host_id) + " " +
             std::to_string(mapping.size) + "\n";
  }
  TRY_AT(place, write_existing(AT_FDCWD, "/proc/" + std::to_string(pid) + "/" + file, lines));
  return {};
}

Result<> write_id_mappings(int pid, const plan::NamespacePlan& plan, int signals) {
  if (plan.map_writer == plan::MapWriter::programs) {
    TRY(run_id_map_program(IdMapProgram::newgidmap, pid, plan.gid_mappings, signals));
    return run_id_map_program(IdMapProgram::newuidmap, pid, plan.uid_mappings, signals);
  }
  // Or an ordinary user could leave a group that denies him something (CVE-2014-8989).
  if (plan.map_writer == plan::MapWriter::own_id) {
    TRY_AT("linux.gidMappings",
           write_existing(AT_FDCWD, "/proc/" + std::to_string(pid) + "/setgroups", "deny"));
  }
  TRY(write_id_map(pid, "gid_map", plan.gid_mappings, "linux.gidMappings"));
  return write_id_map(pid, "uid_map", plan.uid_mappings, "linux.uidMappings");
}

}  // namespace onggi
