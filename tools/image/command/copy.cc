// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/copy.h"

#include "base/json_writer.h"
#include "command/progress.h"
#include "command/remote.h"
#include "process/user_namespace.h"
#include "transfer/unpack_view.h"

namespace onggi::image {

namespace {

using Named = ImageSource::Named;

Result<std::optional<Platform>> wanted_platform(const CopyFlags& flags, Transport target) {
  if (flags.all_platforms && !flags.platform.empty())
    return make_error(ErrorKind::invalid_config,
                      "--platform cannot be combined with --all-platforms");
  if (!flags.platform.empty()) return std::optional(TRY(parse_platform(flags.platform)));
  const bool takes_one = target == Transport::store || target == Transport::docker_archive;
  if (flags.all_platforms || !takes_one) return std::optional<Platform>();
  return std::optional(host_platform());
}

Result<int> print_copied(const CopyFlags& flags, std::string_view target, const Named& copied) {
  const std::string& digest = copied.descriptor.digest.text();
  if (flags.format == Format::text) return cli::print(digest + "\n");
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object().field("name", target).field("digest", digest);
  json.field("mediaType", copied.descriptor.media_type).end_object();
  return cli::print(std::move(json).take() + "\n");
}

// `store` may be null if neither end is in it.
Result<Named> copy_between(const Store* store, const Endpoint& from, const Endpoint& to,
                           const CopyFlags& flags) {
  const CopyOptions options{TRY(wanted_platform(flags, to.transport))};
  Progress progress(flags.quiet);
  Registries registries(access_options(flags.authfile, flags.plain_http, flags.stall_seconds),
                        &progress);
  const EndpointContext ends{store, options.platform.value_or(host_platform()), &registries};
  const std::unique_ptr<ImageSource> source = TRY(open_source(from, ends));
  const std::unique_ptr<ImageTarget> target = TRY(open_target(to, ends, *source, from));
  if (to.transport != Transport::store) return copy_image(*source, *target, options, progress);
  UnpackView unpacking(*store, ends.platform, flags.limits, progress);
  Result<Named> copied = copy_image(*source, *target, options, unpacking);
  TRY(store->empty_trash());
  return copied;
}

Result<int> copy_and_print(const Context& context, const Endpoint& from, const Endpoint& to,
                           const CopyFlags& flags) {
  std::optional<Store> store;
  if (to.transport == Transport::store) TRY(enter_user_namespace());
  if (to.transport == Transport::store || from.transport == Transport::store)
    store.emplace(TRY(Store::open(context.global.root, LockKind::shared)));
  CopyFlags limited = flags;
  limited.limits = context.global.limits;
  limited.stall_seconds = context.global.stall_seconds;
  const Named copied = TRY(copy_between(store ? &*store : nullptr, from, to, limited));
  return print_copied(flags, context.operands.back(), copied);
}

// What push calls an image in its registry if nothing else is said: its name in the store, which a
// short name on the command line need not be.
Result<std::string> stored_name(const Context& context) {
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const StoredImage image = TRY(store.find(context.operands[0]));
  if (image.is_by_name) return image.name;
  return with_hint(make_error(ErrorKind::invalid_config, "'", context.operands[0],
                              "' is not a name in a registry"),
                   "give the name as a second argument");
}

Result<std::string> remote_text(std::string_view text) {
  const Reference image = TRY(parse_remote(text));
  return to_text(image);
}

Endpoint in_registry(const std::string& name) {
  return {Transport::registry, name, {}};
}

// Into the store, from the first of the registries that has it; the value is its name.
template <class Copy>
Result<std::string> pull(const RemoteName& wanted, const Copy& copy) {
  std::string failures;
  for (const std::string& name : wanted.names) {
    const Result<> copied = copy(in_registry(name), {Transport::store, name, {}});
    if (copied) {
      remember(wanted);
      return name;
    }
    if (&name != &wanted.names.back()) {
      failures.append("; ").append(copied.error().message.view());
      continue;
    }
    Error error = copied.error();
    error.message.append(failures);
    return error;
  }
  return make_error(ErrorKind::state, "no name");  // there is one at least
}

}  // namespace

Result<int> copy_command(const Context& context, const CopyFlags& flags) {
  const Endpoint from = TRY(parse_endpoint(context.operands[0]));
  const Endpoint to = TRY(parse_endpoint(context.operands[1]));
  return copy_and_print(context, from, to, flags);
}

Result<int> pull_command(const Context& context, const CopyFlags& flags) {
  const RemoteName wanted = TRY(choose_remote_name(context.operands[0]));
  int status = 0;
  const auto copy = [&](const Endpoint& from, const Endpoint& to) -> Result<> {
    status = TRY(copy_and_print(context, from, to, flags));
    return {};
  };
  TRY(pull(wanted, copy));
  return status;
}

Result<int> push_command(const Context& context, const CopyFlags& flags) {
  const Endpoint from = TRY(parse_endpoint(context.operands[0]));
  const bool has_name = context.operands.size() > 1;
  if (!has_name && from.transport != Transport::store) {
    return make_error(ErrorKind::invalid_config, "'", context.operands[0],
                      "' does not include a registry name: give the name as a second argument");
  }
  const std::string name = TRY(has_name ? remote_text(context.operands[1]) : stored_name(context));
  return copy_and_print(context, from, in_registry(name), flags);
}

Result<std::string> pull_image(const Store& store, const std::string& name,
                               const CopyFlags& flags) {
  const RemoteName wanted = TRY(choose_remote_name(name));
  return pull(wanted, [&](const Endpoint& from, const Endpoint& to) -> Result<> {
    TRY(copy_between(&store, from, to, flags));
    return {};
  });
}

}  // namespace onggi::image
