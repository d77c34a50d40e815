/// @file
/// A tensor's memory through the C functions that its type offers (DLPack 1.3, section "exchange API"): 40 ns instead of 1 us by
/// attributes.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

namespace dalib_python {

namespace nb = nanobind;

/// As the standard lays it out.
struct exchanged_tensor {
  void* data;
  std::int32_t device_type, device;
  std::int32_t dimensions;
  std::uint8_t code, bits;
  std::uint16_t lanes;
  std::int64_t* shape;
  std::int64_t* strides;
  std::uint64_t byte_offset;

  bool on_cpu() const { return device_type == 1; }
  bool is_float32() const { return code == 2 && bits == 32 && lanes == 1; }
  bool is_float64() const { return code == 2 && bits == 64 && lanes == 1; }
  void* first() const { return static_cast<char*>(data) + byte_offset; }
};

/// The table of functions of PyTorch's tensors.
class exchange_table {
public:
  /// The one of torch.Tensor, null for versions without it. Needs the interpreter's lock, and that torch is loaded.
  static const exchange_table* of_torch() {
    static const exchange_table* const found = [] {
      const nb::object type = nb::module_::import_("torch").attr("Tensor");
      if (!nb::hasattr(type, "__dlpack_c_exchange_api__")) return static_cast<const exchange_table*>(nullptr);
      const nb::object capsule = type.attr("__dlpack_c_exchange_api__");
      const auto* table = static_cast<const exchange_table*>(PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
      if (table == nullptr) PyErr_Clear();
      return table != nullptr && table->major_ == 1 && table->from_object_ != nullptr ? table : nullptr;
    }();
    return found;
  }

  /// What `object` holds, borrowed: shape and strides live as long as it does. False: ask it otherwise.
  bool read(nb::handle object, exchanged_tensor& to) const {
    if (from_object_(object.ptr(), &to) == 0 && to.strides != nullptr) return true;
    PyErr_Clear();
    return false;
  }

private:
  std::uint32_t major_, minor_;
  void* older_;
  void *allocate_, *managed_from_object_, *managed_to_object_;
  int (*from_object_)(void*, void*);
  void* stream_;
};

} // namespace dalib_python
