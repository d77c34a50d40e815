#include "model_file.hpp"

#include "../../io/state_file.hpp"

namespace dalib::train {
namespace {

/// All of a model's numbers.
struct model_state {
  method& trained;
  frozen_backbone* frozen;
  trust& trusted;

  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    any_state_visitor any = any_state_visitor::of(visitor);
    if (frozen != nullptr) frozen->visit_model(any);
    trained.visit_model(any);
    trusted.visit_state(io::scoped(visitor, "trust."));
  }
};

method_config config_of(const model_description& d) {
  method_config config;
  config.channels = d.channels;
  config.side = d.side;
  config.classes = static_cast<index_t>(d.classes.size());
  config.discriminator_width = d.discriminator_width;
  config.head_width = d.head_width;
  config.settings = d.settings;
  config.backbone.arch = d.frozen ? "features" : d.arch;
  return config;
}

/// Room for as many features as the file has.
feature_region region_in(const io::safetensors_file& file, const std::string& name) {
  const std::size_t size = file.at(name + ".mean").size();
  return {std::vector<float>(size), std::vector<float>(size), 0};
}

} // namespace

void save_model(const std::filesystem::path& path, const model_description& description, method& trained, frozen_backbone* frozen,
                trust& trusted) {
  model_state state{trained, frozen, trusted};
  io::state_layout visitor;
  state.visit_state(visitor);
  io::safetensors_layout layout = visitor.layout();
  layout.metadata = to_metadata(description);
  io::atomic_file file(path);
  file.write(io::header_bytes(layout));
  io::stream_state(state, [&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

trained_model::trained_model(const std::filesystem::path& path) {
  const io::safetensors_file file(path);
  description_ = model_description_of(file.metadata(), path);
  try {
    method_ = find_method(description_.method).make(config_of(description_), io::random_generator(0));
    if (description_.frozen) frozen_ = std::make_unique<frozen_backbone>(backbone_choice{description_.arch, {}, false});
  } catch (const std::logic_error& error) { // names and settings that this program does not know
    io::fail_file(path, error.what());
  }
  trust_.source = region_in(file, "trust.source");
  trust_.target = region_in(file, "trust.target");
  model_state state{*method_, frozen_.get(), trust_};
  io::restore_state(file, state);
}

nn::classifier_output<scalar> trained_model::predict(const variable<scalar>& images) {
  return method_->predict(frozen_ ? (*frozen_)(images) : images);
}

} // namespace dalib::train
