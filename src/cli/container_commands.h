// SPDX-License-Identifier: Apache-2.0
// Commands on containers: each turns its options into one call of the runtime.
#pragma once

#include "cli/command.h"

namespace onggi::cli {

struct KillOptions {
  bool all = false;
  bool regex = false;
};
struct DeleteOptions {
  bool force = false;
  bool regex = false;
};
enum class ListFormat { table, json };
struct ListOptions {
  ListFormat format = ListFormat::table;
  bool quiet = false;
};

Result<int> create(const Context& context, CreateOptions& options);
Result<int> run_command(const Context& context, CreateOptions& options);
Result<int> start(const Context& context, const NoOptions& options);
Result<int> state(const Context& context, const NoOptions& options);
Result<int> kill_command(const Context& context, const KillOptions& options);
Result<int> delete_command(const Context& context, const DeleteOptions& options);
Result<int> pause(const Context& context, const NoOptions& options);
Result<int> resume(const Context& context, const NoOptions& options);
Result<int> list(const Context& context, const ListOptions& options);
Result<int> plan_command(const Context& context, CreateOptions& options);

std::string list_as_table(std::span<const ContainerSummary> containers);
std::string list_as_json(std::span<const ContainerSummary> containers);

}  // namespace onggi::cli
