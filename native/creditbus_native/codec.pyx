# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=False
"""Avro encoders and decoders as trees of small objects, one a type, each of which reads and writes its own values.

The same as the Python functions of ``creditbus.bus.codec``, which says what they promise: the same values, the same
bytes, an error for whatever those refuse. Here a payload that ends too early is an error at once.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_Check, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_CheckExact, PyDict_GetItem, PyDict_SetItem
from cpython.long cimport PyLong_AsLongLong
from cpython.object cimport PyObject, PyObject_CallObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_Check, PyUnicode_DecodeUTF8
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

ctypedef unsigned char byte
ctypedef unsigned long long number


from creditbus.bus.codec_python import UnsupportedSchemaError


# -- bytes that are read -----------------------------------------------------------------------------------------------

cdef struct Input:
    const byte* data
    Py_ssize_t at
    Py_ssize_t end


cdef int too_early() except -1:
    raise ValueError("it ends too early")


cdef inline number read_zigzag(Input* source) except? 1:
    """A number of up to ten bytes, still in zigzag form."""
    cdef number value = 0
    cdef int shift = 0
    cdef byte one
    while True:
        if source.at >= source.end:
            too_early()
        one = source.data[source.at]
        source.at += 1
        if shift == 63 and one > 1:
            raise ValueError("a number of more than 64 bits")
        value |= <number>(one & 127) << shift
        if one < 128:
            return value
        shift += 7


cdef inline long long read_number(Input* source) except? -1:
    cdef number value = read_zigzag(source)
    return <long long>(value >> 1) ^ -<long long>(value & 1)


cdef inline Py_ssize_t read_length(Input* source) except -1:
    """A length, which the bytes that are left must hold."""
    cdef long long value = read_number(source)
    if value < 0:
        raise ValueError("a negative length")
    if value > source.end - source.at:
        too_early()
    return <Py_ssize_t>value


cdef inline Py_ssize_t read_block(Input* source) except -1:
    """How many items the next block of an array or map has; 0 ends it."""
    cdef long long count = read_number(source)
    if count < 0:
        if read_number(source) < 0:  # a negative count is followed by the block's size
            raise ValueError("a negative length")
        count = -count
    if count < 0 or count > source.end - source.at:
        too_early()  # an item has a byte at least, but for empty records, which the contract has none of
    return <Py_ssize_t>count


# -- bytes that are written --------------------------------------------------------------------------------------------

cdef struct Output:
    char* data
    Py_ssize_t size
    Py_ssize_t room


cdef inline int make_room(Output* target, Py_ssize_t more) except -1:
    cdef Py_ssize_t room
    cdef char* data
    if target.size + more > target.room:
        room = max(2 * target.room, target.size + more)
        data = <char*>realloc(target.data, room)
        if data == NULL:
            raise MemoryError()
        target.data, target.room = data, room
    return 0


cdef inline int put_bytes(Output* target, const char* data, Py_ssize_t size) except -1:
    make_room(target, size)
    memcpy(target.data + target.size, data, size)
    target.size += size
    return 0


cdef inline int put_number(Output* target, long long value) except -1:
    cdef number rest = (<number>value << 1) ^ <number>(value >> 63)
    make_room(target, 10)
    while rest > 127:
        target.data[target.size] = <char>(rest & 127 | 128)
        target.size += 1
        rest >>= 7
    target.data[target.size] = <char>rest
    target.size += 1
    return 0


cdef inline int put_text(Output* target, object value) except -1:
    cdef Py_ssize_t size
    cdef const char* data
    if not PyUnicode_Check(value):
        raise TypeError("not a text")
    data = PyUnicode_AsUTF8AndSize(value, &size)
    put_number(target, size)
    return put_bytes(target, data, size)


# -- types -------------------------------------------------------------------------------------------------------------

cdef class Type:
    """How values of a type are read and written."""

    cdef object read(self, Input* source):
        raise NotImplementedError

    cdef int write(self, Output* target, object value) except -1:
        raise NotImplementedError


cdef class Text(Type):
    cdef object read(self, Input* source):
        cdef Py_ssize_t size = read_length(source)
        cdef const char* data = <const char*>source.data + source.at
        source.at += size
        return PyUnicode_DecodeUTF8(data, size, NULL)

    cdef int write(self, Output* target, object value) except -1:
        return put_text(target, value)


cdef class Bytes(Type):
    cdef object read(self, Input* source):
        cdef Py_ssize_t size = read_length(source)
        cdef const char* data = <const char*>source.data + source.at
        source.at += size
        return PyBytes_FromStringAndSize(data, size)

    cdef int write(self, Output* target, object value) except -1:
        if not PyBytes_Check(value):
            raise TypeError("not bytes")
        put_number(target, PyBytes_GET_SIZE(value))
        return put_bytes(target, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))


cdef class Whole(Type):
    cdef object read(self, Input* source):
        return read_number(source)

    cdef int write(self, Output* target, object value) except -1:
        return put_number(target, PyLong_AsLongLong(value))


cdef class Truth(Type):
    cdef object read(self, Input* source):
        if source.at >= source.end:
            too_early()
        cdef byte one = source.data[source.at]
        source.at += 1
        if one > 1:
            raise ValueError("no truth value")
        return one == 1

    cdef int write(self, Output* target, object value) except -1:
        return put_bytes(target, b"\x01" if value else b"\x00", 1)


cdef class Enumeration(Type):
    cdef tuple symbols
    cdef dict places

    def __init__(self, symbols):
        self.symbols = tuple(symbols)
        self.places = {symbol: place for place, symbol in enumerate(symbols)}

    cdef object read(self, Input* source):
        cdef long long place = read_number(source)
        if not 0 <= place < len(self.symbols):
            raise IndexError("no such symbol")
        return self.symbols[place]

    cdef int write(self, Output* target, object value) except -1:
        return put_number(target, self.places[value])


cdef class Optional(Type):
    cdef Type inner

    def __init__(self, Type inner):
        self.inner = inner

    cdef object read(self, Input* source):
        cdef long long branch = read_number(source)
        if branch == 0:
            return None
        if branch != 1:
            raise ValueError("no branch of the union")
        return self.inner.read(source)

    cdef int write(self, Output* target, object value) except -1:
        if value is None:
            return put_number(target, 0)
        put_number(target, 1)
        return self.inner.write(target, value)


cdef class Array(Type):
    cdef Type items

    def __init__(self, Type items):
        self.items = items

    cdef object read(self, Input* source):
        cdef list found = []
        cdef Py_ssize_t left = read_block(source)
        while left:
            while left:
                found.append(self.items.read(source))
                left -= 1
            left = read_block(source)
        return found

    cdef int write(self, Output* target, object value) except -1:
        if value:
            put_number(target, len(value))
            for one in value:
                self.items.write(target, one)
        return put_number(target, 0)


cdef class Map(Type):
    cdef Type values

    def __init__(self, Type values):
        self.values = values

    cdef object read(self, Input* source):
        cdef dict found = {}
        cdef Py_ssize_t left = read_block(source), size
        while left:
            while left:
                size = read_length(source)
                source.at += size
                name = PyUnicode_DecodeUTF8(<const char*>source.data + source.at - size, size, NULL)
                found[name] = self.values.read(source)
                left -= 1
            left = read_block(source)
        return found

    cdef int write(self, Output* target, object value) except -1:
        if value:
            put_number(target, len(value))
            for name in value:
                put_text(target, name)
                self.values.write(target, value[name])
        return put_number(target, 0)


cdef class Converted(Type):
    """A logical type that is read as an object; it is written from its number."""

    cdef Type inner
    cdef object convert

    def __init__(self, Type inner, convert):
        self.inner, self.convert = inner, convert

    cdef object read(self, Input* source):
        return self.convert(self.inner.read(source))

    cdef int write(self, Output* target, object value) except -1:
        return self.inner.write(target, value)


cdef object _MISSING = object()


cdef class Record(Type):
    """Fields in order. Read as a dictionary, or as what ``make`` makes of the values."""

    cdef tuple names
    cdef tuple types
    cdef tuple defaults
    cdef object make

    def __init__(self, names, types, defaults, make):
        self.names, self.types, self.defaults, self.make = tuple(names), tuple(types), tuple(defaults), make

    cdef object read(self, Input* source):
        cdef Py_ssize_t place, many = len(self.names)
        cdef dict found
        cdef tuple values
        cdef object value
        if self.make is None:
            found = {}
            for place in range(many):
                PyDict_SetItem(found, self.names[place], (<Type>self.types[place]).read(source))
            return found
        values = PyTuple_New(many)
        for place in range(many):
            value = (<Type>self.types[place]).read(source)
            Py_INCREF(value)
            PyTuple_SET_ITEM(values, place, value)
        return PyObject_CallObject(self.make, values)

    cdef int write(self, Output* target, object value) except -1:
        cdef Py_ssize_t place
        cdef PyObject* found
        cdef bint is_dictionary = PyDict_CheckExact(value)
        for place in range(len(self.names)):
            if is_dictionary:
                found = PyDict_GetItem(value, self.names[place])
                if found != NULL:
                    (<Type>self.types[place]).write(target, <object>found)
                    continue
                if self.defaults[place] is _MISSING:
                    raise KeyError(self.names[place])
                (<Type>self.types[place]).write(target, self.defaults[place])
            elif self.defaults[place] is _MISSING:
                (<Type>self.types[place]).write(target, value[self.names[place]])
            else:
                (<Type>self.types[place]).write(target, value.get(self.names[place], self.defaults[place]))
        return 0

    cdef int write_struct(self, Output* target, object value) except -1:
        """The same from an object whose attributes are the fields."""
        cdef Py_ssize_t place
        for place in range(len(self.names)):
            (<Type>self.types[place]).write(target, getattr(value, self.names[place]))
        return 0


# -- what is made of a schema ------------------------------------------------------------------------------------------

cdef class Decoder:
    """A decoder: from bytes and a position to the value and the position behind it."""

    cdef Type kind

    def __init__(self, Type kind):
        self.kind = kind

    def __call__(self, bytes data not None, Py_ssize_t start):
        cdef Input source
        source.data = <const byte*>PyBytes_AS_STRING(data)
        source.at, source.end = start, PyBytes_GET_SIZE(data)
        if start < 0:
            raise ValueError("a negative position")
        value = self.kind.read(&source)
        return value, source.at


cdef class Encoder:
    """An encoder: from a value, and bytes that stand before it, to bytes."""

    cdef Record kind
    cdef bint of_struct

    def __init__(self, Record kind, bint of_struct):
        self.kind, self.of_struct = kind, of_struct

    def __call__(self, object value, bytes before not None):
        cdef Output target
        target.size, target.room = 0, 1024
        target.data = <char*>malloc(target.room)
        if target.data == NULL:
            raise MemoryError()
        try:
            put_bytes(&target, PyBytes_AS_STRING(before), PyBytes_GET_SIZE(before))
            if self.of_struct:
                self.kind.write_struct(&target, value)
            else:
                self.kind.write(&target, value)
            return PyBytes_FromStringAndSize(target.data, target.size)
        finally:
            free(target.data)


def make_decoder(definition, converters, makers):
    """A decoder. converters: functions from numbers by logical type; makers: from fields' values by record name."""
    return Decoder(_type_of(definition, {}, [], converters, makers))


def make_encoder(definition, *, of_struct):
    """An encoder of dictionaries with raw values; of_struct: of objects whose attributes are the record's fields."""
    return Encoder(_type_of(definition, {}, [], {}, {}), of_struct)


cdef Type _type_of(object kind, dict named, list inside, object converters, object makers):
    """The type of a definition; a named type is defined where it is first used."""
    if isinstance(kind, str):
        if kind in named:
            return _type_of(named[kind], named, inside, converters, makers)
        return _primitive(kind)
    if isinstance(kind, list):
        if len(kind) == 2 and kind[0] == "null":
            return Optional(_type_of(kind[1], named, inside, converters, makers))
        raise UnsupportedSchemaError(str(kind))
    if "name" in kind:
        named[f"{kind['namespace']}.{kind['name']}"] = kind
    if kind["type"] == "record":
        return _record(kind, named, inside, converters, makers)
    if kind["type"] == "array":
        return Array(_type_of(kind["items"], named, inside, converters, makers))
    if kind["type"] == "map":
        return Map(_type_of(kind["values"], named, inside, converters, makers))
    if kind["type"] == "enum":
        return Enumeration(kind["symbols"])
    inner = _type_of(kind["type"], named, inside, converters, makers)
    logical = kind.get("logicalType")
    if logical is None or not converters:
        return inner
    if logical not in converters:
        raise UnsupportedSchemaError(logical)
    return Converted(inner, converters[logical])


cdef Record _record(object kind, dict named, list inside, object converters, object makers):
    if kind["name"] in inside:
        raise UnsupportedSchemaError(f"{kind['name']} contains itself")
    inside.append(kind["name"])
    fields = kind["fields"]
    types = [_type_of(field["type"], named, inside, converters, makers) for field in fields]
    inside.pop()
    names = [field["name"] for field in fields]
    defaults = [field.get("default", _MISSING) for field in fields]
    return Record(names, types, defaults, makers.get(kind["name"]))


cdef Type _primitive(str kind):
    if kind == "string":
        return Text()
    if kind == "bytes":
        return Bytes()
    if kind == "int" or kind == "long":
        return Whole()
    if kind == "boolean":
        return Truth()
    raise UnsupportedSchemaError(kind)
