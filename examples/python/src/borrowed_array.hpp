/// @file
/// An array of Python's (NumPy, PyTorch, anything with the buffer protocol or DLPack) as a pointer with strides, without a copy.
#pragma once

#include "exchange.hpp"
#include "request.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <cstring>

namespace dalib_python {

enum class access { read, write, vector };

/// The scalar type of a call: the first array decides.
struct scalar_choice {
  scalar_type type = scalar_type::float64;
  bool known = false;
};

/// Whose array it is, for messages.
struct purpose {
  const char* measure;
  const char* name;
  access how;
};

namespace detail {

/// A Python name that is made once.
inline PyObject* interned(const char* text) { return PyUnicode_InternFromString(text); }

inline std::string said(const purpose& what, const std::string& sentence) {
  return std::string(what.measure) + ": " + what.name + " " + sentence;
}

/// str(object).
inline std::string text_of(nb::handle object) { return nb::cast<std::string>(nb::steal(PyObject_Str(object.ptr()))); }

inline std::string dtype_of(nb::handle object) {
  if (!nb::hasattr(object, "dtype")) return "of type " + text_of(object.type());
  return text_of(nb::object(object.attr("dtype")));
}

[[noreturn]] inline void refuse_dtype(const purpose& what, const std::string& dtype) {
  throw nb::type_error(
      said(what, "is " + dtype + "; give float32 or float64, as x.astype('float32') in NumPy or x.float() in PyTorch").c_str());
}

inline void settle(scalar_choice& scalar, scalar_type found, const purpose& what) {
  if (scalar.known && scalar.type != found)
    throw nb::type_error(said(what, std::string("is ") + (found == scalar_type::float32 ? "float32" : "float64") +
                                        ", the arrays before it are " + (found == scalar_type::float32 ? "float64" : "float32") +
                                        "; convert one of them")
                             .c_str());
  scalar = {found, true};
}

} // namespace detail

/// Holds what keeps the memory of one array in its place while it is read.
class borrowed_array {
public:
  borrowed_array() = default;
  borrowed_array(const borrowed_array&) = delete;
  borrowed_array& operator=(const borrowed_array&) = delete;
  ~borrowed_array() {
    if (buffer_.obj) PyBuffer_Release(&buffer_);
  }

  /// @throws nb::type_error for what is no array of float32 or float64 on the CPU, std::invalid_argument for the number of dimensions.
  array borrow(nb::handle object, const purpose& what, scalar_choice& scalar) {
    if (PyObject_CheckBuffer(object.ptr())) return from_buffer(object, what, scalar);
    static PyObject* const data_ptr = detail::interned("data_ptr");
    if (PyObject_HasAttr(object.ptr(), data_ptr)) return from_torch(object, what, scalar);
    return from_dlpack(object, what, scalar);
  }

private:
  array from_buffer(nb::handle object, const purpose& what, scalar_choice& scalar) {
    const int flags = PyBUF_STRIDES | PyBUF_FORMAT | (what.how == access::write ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object.ptr(), &buffer_, flags) != 0) {
      PyErr_Clear();
      throw nb::type_error(detail::said(what, "gives no access to its memory").c_str());
    }
    const char* format = buffer_.format ? buffer_.format : "B";
    if (*format == '=' || *format == '@' || *format == '<') ++format;
    if (std::strcmp(format, "f") != 0 && std::strcmp(format, "d") != 0) detail::refuse_dtype(what, detail::dtype_of(object));
    detail::settle(scalar, *format == 'f' ? scalar_type::float32 : scalar_type::float64, what);
    index_t strides[2] = {0, 0};
    for (int i = 0; i < buffer_.ndim && i < 2; ++i) {
      if (buffer_.strides[i] % buffer_.itemsize != 0)
        throw std::invalid_argument(
            detail::said(what, "has a stride that is no whole number of elements; copy it with numpy.ascontiguousarray"));
      strides[i] = buffer_.strides[i] / buffer_.itemsize;
    }
    return shaped(buffer_.buf, buffer_.ndim, buffer_.shape, strides, what);
  }

  static nb::object call(nb::handle object, PyObject* name) { return nb::steal(checked(PyObject_CallMethodNoArgs(object.ptr(), name))); }
  static nb::object get(nb::handle object, PyObject* name) { return nb::steal(checked(PyObject_GetAttr(object.ptr(), name))); }
  static PyObject* checked(PyObject* result) {
    if (!result) throw nb::python_error();
    return result;
  }

  /// By its table of functions, or by its attributes: 10 us less than DLPack.
  array from_torch(nb::handle object, const purpose& what, scalar_choice& scalar) {
    static PyObject* const is_neg = detail::interned("is_neg");
    exchanged_tensor t;
    const exchange_table* const table = exchange_table::of_torch();
    if (table != nullptr && table->read(object, t) && t.on_cpu() && (t.is_float32() || t.is_float64()) &&
        call(object, is_neg).is(nb::handle(Py_False))) {
      detail::settle(scalar, t.is_float32() ? scalar_type::float32 : scalar_type::float64, what);
      Py_ssize_t sizes[2] = {0, 0};
      index_t strides[2] = {0, 0};
      for (int i = 0; i < t.dimensions && i < 2; ++i) {
        sizes[i] = static_cast<Py_ssize_t>(t.shape[i]);
        strides[i] = static_cast<index_t>(t.strides[i]);
      }
      return shaped(t.first(), t.dimensions, sizes, strides, what);
    }
    return from_attributes(object, what, scalar);
  }

  array from_attributes(nb::handle object, const purpose& what, scalar_choice& scalar) {
    static PyObject* const names[] = {detail::interned("is_cpu"), detail::interned("dtype"),    detail::interned("shape"),
                                      detail::interned("stride"), detail::interned("data_ptr"), detail::interned("is_neg")};
    static PyObject* const single = nb::object(nb::module_::import_("torch").attr("float32")).release().ptr();
    static PyObject* const dual = nb::object(nb::module_::import_("torch").attr("float64")).release().ptr();
    if (!get(object, names[0]).is(nb::handle(Py_True)))
      throw nb::type_error(detail::said(what, "is on the device " + detail::text_of(nb::object(object.attr("device"))) +
                                                  "; this function takes tensors on the CPU: x.cpu(), or a loss of dalib_cpp.torch")
                               .c_str());
    const nb::object dtype = get(object, names[1]);
    if (dtype.ptr() != single && dtype.ptr() != dual) detail::refuse_dtype(what, detail::dtype_of(object));
    if (call(object, names[5]).is(nb::handle(Py_True)))
      throw nb::type_error(detail::said(what, "is a lazily negated view; give x.resolve_neg()").c_str());
    detail::settle(scalar, dtype.ptr() == single ? scalar_type::float32 : scalar_type::float64, what);
    const nb::object shape = get(object, names[2]), stride = call(object, names[3]);
    const Py_ssize_t dimensions = PyTuple_GET_SIZE(shape.ptr());
    Py_ssize_t sizes[2] = {0, 0};
    index_t strides[2] = {0, 0};
    for (Py_ssize_t i = 0; i < dimensions && i < 2; ++i) {
      sizes[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(shape.ptr(), i));
      strides[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(stride.ptr(), i));
    }
    const nb::object address = call(object, names[4]);
    void* data = PyLong_AsVoidPtr(address.ptr());
    return shaped(data, static_cast<int>(dimensions), sizes, strides, what);
  }

  array from_dlpack(nb::handle object, const purpose& what, scalar_choice& scalar) {
    if (!nb::hasattr(object, "__dlpack__"))
      throw nb::type_error(detail::said(what, "is no array (" + detail::text_of(object.type()) +
                                                  "); give a NumPy array, a tensor, or what has __dlpack__ or a buffer")
                               .c_str());
    if (what.how == access::write) throw nb::type_error(detail::said(what, "cannot be written through DLPack").c_str());
    if (!nb::try_cast(object, dlpack_))
      throw nb::type_error(detail::said(what, "gives no access to its memory by DLPack; is it on a device?").c_str());
    if (dlpack_.device_type() != nb::device::cpu::value) throw nb::type_error(detail::said(what, "is not in the CPU's memory").c_str());
    const bool single = dlpack_.dtype() == nb::dtype<float>();
    if (!single && dlpack_.dtype() != nb::dtype<double>()) detail::refuse_dtype(what, detail::dtype_of(object));
    detail::settle(scalar, single ? scalar_type::float32 : scalar_type::float64, what);
    const int dimensions = static_cast<int>(dlpack_.ndim());
    Py_ssize_t sizes[2] = {0, 0};
    index_t strides[2] = {0, 0};
    for (int i = 0; i < dimensions && i < 2; ++i) {
      sizes[i] = static_cast<Py_ssize_t>(dlpack_.shape(static_cast<std::size_t>(i)));
      strides[i] = static_cast<index_t>(dlpack_.stride(static_cast<std::size_t>(i)));
    }
    return shaped(const_cast<void*>(static_cast<const void*>(dlpack_.data())), dimensions, sizes, strides, what);
  }

  /// One dimension is a column. Vectors are contiguous.
  static array shaped(void* data, int dimensions, const Py_ssize_t* sizes, const index_t* strides, const purpose& what) {
    if (what.how == access::vector) {
      if (dimensions != 1) throw std::invalid_argument(detail::said(what, "must have one dimension, a weight for each row"));
      if (sizes[0] > 1 && strides[0] != 1) throw std::invalid_argument(detail::said(what, "must be contiguous; copy it"));
    }
    if (dimensions == 1) return {data, sizes[0], 1, strides[0], 1};
    if (dimensions != 2)
      throw std::invalid_argument(detail::said(what, "has " + std::to_string(dimensions) +
                                                         " dimensions; rows are samples and columns features, so flatten the others: "
                                                         "x.reshape(len(x), -1), or for class scores move the classes last: "
                                                         "x.movedim(1, -1).reshape(-1, classes)"));
    return {data, sizes[0], sizes[1], strides[0], strides[1]};
  }

  Py_buffer buffer_{};
  nb::ndarray<nb::ro> dlpack_{};
};

} // namespace dalib_python
