//! JSON values written down as literals, and objects member by member.
//!
//! Each member is one call. The macro of `serde_json` unrolls every map and copies every value in place, some 300 bytes of
//! code a member: a quarter of the whole Worker.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// A JSON literal, as with `serde_json`, except that values move in instead of being copied.
macro_rules! json {
    (@members $object:ident) => {};
    (@members $object:ident $key:tt : null $(, $($rest:tt)*)?) => {
        $crate::wire::compose::put(&mut $object, $key, serde_json::Value::Null);
        $crate::wire::compose::json!(@members $object $($($rest)*)?);
    };
    (@members $object:ident $key:tt : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::wire::compose::put(&mut $object, $key, $crate::wire::compose::json!({ $($inner)* }));
        $crate::wire::compose::json!(@members $object $($($rest)*)?);
    };
    (@members $object:ident $key:tt : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::wire::compose::put(&mut $object, $key, $crate::wire::compose::json!([ $($inner)* ]));
        $crate::wire::compose::json!(@members $object $($($rest)*)?);
    };
    (@members $object:ident $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        $crate::wire::compose::put(&mut $object, $key, $value);
        $crate::wire::compose::json!(@members $object $($($rest)*)?);
    };
    (@items $array:ident) => {};
    (@items $array:ident { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::wire::compose::push(&mut $array, $crate::wire::compose::json!({ $($inner)* }));
        $crate::wire::compose::json!(@items $array $($($rest)*)?);
    };
    (@items $array:ident $value:expr $(, $($rest:tt)*)?) => {
        $crate::wire::compose::push(&mut $array, $value);
        $crate::wire::compose::json!(@items $array $($($rest)*)?);
    };
    ({}) => {
        $crate::wire::compose::object()
    };
    ({ $($members:tt)+ }) => {{
        let mut object = $crate::wire::compose::object();
        $crate::wire::compose::json!(@members object $($members)+);
        object
    }};
    ([]) => {
        serde_json::Value::Array(Vec::new())
    };
    ([ $($items:tt)+ ]) => {{
        let mut array = serde_json::Value::Array(Vec::new());
        $crate::wire::compose::json!(@items array $($items)+);
        array
    }};
    ($value:expr) => {
        $crate::wire::compose::IntoJson::into_json($value)
    };
}

pub(crate) use json;

/// What can be a member's value.
pub(crate) trait IntoJson {
    fn into_json(self) -> Value;
}

/// `map.put("key", value)`
pub(crate) trait Members {
    fn put(&mut self, key: &str, value: impl IntoJson);
}

impl Members for Map<String, Value> {
    #[inline(never)]
    fn put(&mut self, key: &str, value: impl IntoJson) {
        insert(self, key, value.into_json());
    }
}

/// An object without members. Not inlined, as what follows: these calls are everywhere, and a place less in the code counts
/// for more than a call.
#[inline(never)]
pub(crate) fn object() -> Value {
    Value::Object(Map::new())
}

#[inline(never)]
pub(crate) fn put(object: &mut Value, key: &str, value: impl IntoJson) {
    if let Value::Object(map) = object {
        insert(map, key, value.into_json());
    }
}

#[inline(never)]
pub(crate) fn push(array: &mut Value, item: impl IntoJson) {
    if let Value::Array(items) = array {
        items.push(item.into_json());
    }
}

#[inline(never)]
fn insert(map: &mut Map<String, Value>, key: &str, value: Value) {
    map.insert(key.to_owned(), value);
}

macro_rules! into_json {
    ($($kind:ty),+ $(,)?) => {
        $(impl IntoJson for $kind {
            fn into_json(self) -> Value {
                self.into()
            }
        })+
    };
}

into_json!(&str, String, Cow<'_, str>, bool, u8, u16, i32, u32, i64, u64, usize, f64, Number, Map<String, Value>);

impl IntoJson for Value {
    fn into_json(self) -> Value {
        self
    }
}

impl<T: IntoJson + Clone> IntoJson for &T {
    fn into_json(self) -> Value {
        self.clone().into_json()
    }
}

impl<T: IntoJson> IntoJson for Option<T> {
    fn into_json(self) -> Value {
        self.map_or(Value::Null, IntoJson::into_json)
    }
}

impl<T: IntoJson> IntoJson for Vec<T> {
    fn into_json(self) -> Value {
        Value::Array(self.into_iter().map(IntoJson::into_json).collect())
    }
}

impl<T: IntoJson + Clone> IntoJson for &[T] {
    fn into_json(self) -> Value {
        self.to_vec().into_json()
    }
}
