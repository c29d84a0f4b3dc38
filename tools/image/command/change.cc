// SPDX-License-Identifier: Apache-2.0
// commit and flatten, and what config shares with them. SOURCE_DATE_EPOCH makes what is new here
// the same every time; what the base says of itself stays.
#include "command/change.h"

#include "base/file.h"
#include "base/json_writer.h"
#include "base/split.h"
#include "base/utc.h"
#include "command/changed_image.h"
#include "command/container_files.h"
#include "model/json.h"
#include "process/program.h"
#include "process/user_namespace.h"
#include "store/new_layer.h"

#include <rapidjson/pointer.h>

#include <ctime>

namespace onggi::image {

Result<ImageEdit> begin_change(const Image& base) {
  const std::optional<int64_t> epoch = TRY(source_date_epoch());
  if (!epoch) return ImageEdit::begin(base, utc_now(Precision::seconds));
  return ImageEdit::begin(base, utc_text({*epoch, 0}, Precision::seconds));
}

Result<int> finish_change(const Context& context, const Store& store, const ImageEdit& edit,
                          Format format) {
  const std::string full = TRY(full_name(context.operands[1]));
  const Descriptor manifest = TRY(edit.write(store.layout()));
  const Layout layout = TRY(store.read());
  // Unpacked now, so that it is known to be right before it has a name.
  const Image image = TRY(read_image(layout, manifest, host_platform()));
  const Snapshots snapshots(store);
  TRY(snapshots.make(layout, image, context.global.limits));
  TRY(snapshots.sync(image));
  TRY(store.set_name(full, manifest));
  if (format == Format::text) return cli::print(manifest.digest.text() + "\n");
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object().field("name", full).field("digest", manifest.digest.text()).end_object();
  return cli::print(std::move(json).take() + "\n");
}

namespace {

Result<DiffOptions> diff_options(const CommitFlags& flags) {
  DiffOptions options;
  options.compression = flags.compression;
  options.epoch = TRY(source_date_epoch());
  return options;
}

// The program that ran, as history has it.
std::string command_line(const rapidjson::Document& config) {
  std::string line;
  const rapidjson::Value* words = rapidjson::Pointer("/process/args").Get(config);
  if (words == nullptr || !words->IsArray()) return line;
  for (const auto& word : words->GetArray()) {
    if (word.IsString()) line.append(line.empty() ? "" : " ").append(word.GetString());
  }
  return line;
}

std::set<std::string> mount_points(const rapidjson::Document& config) {
  std::set<std::string> points;
  const rapidjson::Value* mounts = rapidjson::Pointer("/mounts").Get(config);
  if (mounts == nullptr || !mounts->IsArray()) return points;
  for (const auto& mount : mounts->GetArray())
    points.insert(clean_name(text_member(mount, "destination")));
  return points;
}

}  // namespace

Result<int> commit_command(const Context& context, const CommitFlags& flags) {
  DiffOptions options = TRY(diff_options(flags));
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const std::string id(context.operands[0]);
  std::optional<Container> container = TRY(Container::open(store, id));
  if (!container || TRY(find_process(container->record()))) {
    return with_hint(state_error("the container is still running"),
                     "stop it first: its files could change during the commit");
  }
  const Image base = TRY(image_of_container(store, container->record()));
  const rapidjson::Document config = TRY(runtime_config(container->directory()));
  options.mount_points = mount_points(config);
  UniqueFd upper = TRY(open_directory(container->directory(), "upper"));
  const LayerDiff diff = TRY(store_changes(store, base, std::move(upper), options));
  ImageEdit edit = TRY(begin_change(base));
  if (!flags.author.empty()) edit.set_author(flags.author);
  if (diff.entries != 0) edit.add_layer(diff.blob);
  edit.add_history(command_line(config), flags.message, diff.entries == 0);
  return finish_change(context, store, edit, flags.format);
}

Result<int> flatten_command(const Context& context, const CommitFlags& flags) {
  const DiffOptions options = TRY(diff_options(flags));
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const StoredImage stored = TRY(store.find(context.operands[0]));
  const Layout layout = TRY(store.read());
  const Image base = TRY(read_image(layout, stored.descriptor, host_platform()));
  const Snapshots snapshots(store);
  TRY(snapshots.make(layout, base, context.global.limits));
  const LayerDiff diff = TRY(store_flattened(store, base, options));
  ImageEdit edit = TRY(begin_change(base));
  if (!flags.author.empty()) edit.set_author(flags.author);
  edit.drop_layers();
  edit.add_layer(diff.blob);
  edit.add_history("onggi-image flatten", flags.message, false);
  return finish_change(context, store, edit, flags.format);
}

}  // namespace onggi::image
