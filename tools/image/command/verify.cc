// SPDX-License-Identifier: Apache-2.0
// Exit status 1 tells of damage.
#include "command/verify.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "base/utf8.h"
#include "command/output.h"
#include "process/user_namespace.h"
#include "store/verify.h"

namespace onggi::image {

namespace {

std::string error_words(const Error& error) {
  std::string words(error.place.view());
  words.append(words.empty() ? "" : ": ").append(error.message.view());
  if (error.errnum != 0) words += ": " + log::errno_text(error.errnum);
  return printable(words);
}

std::string text_of(const Verified& verified, bool removed) {
  std::string text;
  for (const Damage& each : verified.damages)
    text +=
        (each.image.empty() ? "" : printable(each.image) + ": ") + error_words(each.error) + "\n";
  text += std::to_string(verified.images) + " images, " + std::to_string(verified.blobs) +
          " blobs (" + size_text(verified.bytes) + "), " + std::to_string(verified.layers) +
          " layers: ";
  if (verified.damages.empty()) return text + "no damage found\n";
  const size_t removable = verified.removable(), wrong = verified.damages.size() - removable;
  if (removable > 0) {
    text += std::to_string(removable) + " damaged";
    text += removed ? ", and removed: pull the images again"
                    : "; 'onggi-image verify --remove-damaged', then pull the images again";
  }
  if (wrong > 0) {
    text += (removable > 0 ? "; " : "") + std::to_string(wrong) +
            " wrong as published: not removed, as pulling again brings the same";
  }
  return text + "\n";
}

std::string json_of(const Verified& verified, bool removed) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object();
  json.field("images", verified.images).field("blobs", verified.blobs);
  json.field("bytes", verified.bytes).field("layers", verified.layers);
  json.field("removed", removed);
  json.key("damages").begin_array();
  for (const Damage& each : verified.damages) {
    json.begin_object().field("image", each.image).field("path", each.path);
    json.field("error", error_words(each.error)).end_object();
  }
  json.end_array().end_object();
  return std::move(json).take() + "\n";
}

}  // namespace

Result<int> verify_command(const Context& context, const VerifyOptions& options) {
  TRY(enter_user_namespace());
  const LockKind kind = options.remove_damaged ? LockKind::exclusive : LockKind::shared;
  const Store store = TRY(Store::open(context.global.root, kind));
  const CompareContent content = options.quick ? CompareContent::no : CompareContent::yes;
  const Verified verified = TRY(verify_store(store, context.global.limits, content));
  if (options.remove_damaged) {
    for (const Damage& each : verified.damages) {
      if (!each.path.empty()) TRY(store.discard(each.path));
    }
    TRY(store.empty_trash());
  }
  TRY(cli::print(options.format == Format::json ? json_of(verified, options.remove_damaged)
                                                : text_of(verified, options.remove_damaged)));
  return verified.damages.empty() ? 0 : 1;
}

}  // namespace onggi::image
