// SPDX-License-Identifier: Apache-2.0
// `cp` and `export`: files of a container, in and out.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct ExportOptions {
  std::string output;
};
inline constexpr auto kExportOptions = cli::options<ExportOptions>({
    cli::option<&ExportOptions::output>("output", 'o', "FILE",
                                        "file to write (default: standard output)"),
});

Result<int> cp_command(const Context& context, const NoOptions& options);
Result<int> export_command(const Context& context, const ExportOptions& options);

}  // namespace onggi::image
