// SPDX-License-Identifier: Apache-2.0
// Commands that make a new image of one that is there: `commit`, `config`, `flatten`. The base
// keeps its name and its layers.
#pragma once

#include "command/command.h"
#include "layer/encoder.h"

namespace onggi::image {

struct CommitFlags {
  std::string message, author;
  Compression compression = Compression::gzip;
  Format format = Format::text;
};
inline constexpr auto kCommitOptions = cli::options<CommitFlags>({
    cli::option<&CommitFlags::message>("message", 'm', "TEXT", "comment for the history"),
    cli::option<&CommitFlags::author>("author", 'a', "NAME", "author of the new image"),
    cli::option<&CommitFlags::compression>("compression", 0, "none|gzip|zstd",
                                           "compression of the new layer (default: gzip)"),
    cli::option<&CommitFlags::format>("format", 'f', "text|json", "output format (default: text)"),
});

struct ConfigFlags {
  std::vector<std::string> env, cmd, entrypoint, label, port, volume, clear;
  std::string user, workdir, stop_signal, author, message;
  bool no_history = false;
  Format format = Format::text;
};
inline constexpr auto kConfigOptions = cli::options<ConfigFlags>({
    cli::option<&ConfigFlags::env>("env", 'e', "NAME=VALUE", "environment variable (repeatable)"),
    cli::option<&ConfigFlags::cmd>("cmd", 0, "WORD",
                                   "program and arguments, one word each (repeatable)"),
    cli::option<&ConfigFlags::entrypoint>("entrypoint", 0, "WORD",
                                          "words before those of --cmd (repeatable)"),
    cli::option<&ConfigFlags::label>("label", 'l', "NAME=VALUE", "label (repeatable)"),
    cli::option<&ConfigFlags::port>("port", 'p', "PORT[-PORT][/PROTOCOL]",
                                    "port that the program listens on (repeatable)"),
    cli::option<&ConfigFlags::volume>("volume", 'v', "DIR", "path of a volume (repeatable)"),
    cli::option<&ConfigFlags::user>("user", 'u', "USER[:GROUP]", "of the program"),
    cli::option<&ConfigFlags::workdir>("workdir", 'w', "DIR", "of the program"),
    cli::option<&ConfigFlags::stop_signal>("stop-signal", 0, "SIGNAL",
                                           "signal that stops the program"),
    cli::option<&ConfigFlags::clear>("clear", 0, "env|cmd|entrypoint|labels|ports|volumes",
                                     "remove a setting of the base image (repeatable)"),
    cli::option<&ConfigFlags::author>("author", 'a', "NAME", "author of the new image"),
    cli::option<&ConfigFlags::message>("message", 'm', "TEXT", "comment for the history"),
    cli::option<&ConfigFlags::no_history>("no-history", 0, nullptr,
                                          "do not add an entry to the history"),
    cli::option<&ConfigFlags::format>("format", 'f', "text|json", "output format (default: text)"),
});

Result<int> commit_command(const Context& context, const CommitFlags& flags);
Result<int> config_command(const Context& context, const ConfigFlags& flags);
Result<int> flatten_command(const Context& context, const CommitFlags& flags);

}  // namespace onggi::image
