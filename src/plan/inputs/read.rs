//! The same back from a record.

use serde_json::{Map, Value};

use super::{super::standings, HELD, Inputs, SORTS, meant};
use crate::{
    chat::request::Effort,
    config::MaxPrice,
    error::Error,
    features::Features,
    plan::Wishes,
    units::Money,
    wire::fields::{Fields, must_be},
};

impl Inputs {
    /// Adds what a record kept to what it says itself.
    pub fn add(&mut self, kept: Map<String, Value>) -> Result<(), Error> {
        let mut kept = Fields::new(kept, "inputs".to_owned());
        let flag = |kept: &mut Fields, key: &str| Ok::<_, Error>(kept.take_bool(key)?.unwrap_or_default());
        if let Some(model) = kept.take_str("model")? {
            self.facts.model = model;
        }
        self.facts.tools = flag(&mut kept, "tools")?;
        self.facts.foreign = flag(&mut kept, "foreign")?;
        self.facts.custom_tools = flag(&mut kept, "custom_tools")?;
        self.facts.continues = flag(&mut kept, "continues")?.then(String::new);
        self.facts.max_output = kept.take_u64("max_output")?;
        self.facts.user = kept.take_str("user")?;
        self.owner = kept.take_str("owner")?;
        self.origin.country = kept.take_str("country")?.unwrap_or_default();
        self.origin.colo = kept.take_str("colo")?.unwrap_or_default();
        self.tags = strings(&mut kept, "tags")?;
        self.providers = kept.peek("providers").is_some().then(|| strings(&mut kept, "providers")).transpose()?;
        self.headers = pairs(&mut kept, "headers")?;
        self.features = kept.take_fields("features")?.map(features).transpose()?;
        let conversation = kept.take_str("conversation")?;
        self.conversation = conversation.and_then(|hex| u64::from_str_radix(&hex, 16).ok());
        self.own_keys = pairs(&mut kept, "own_keys")?;
        self.wishes = kept.take_fields("wishes")?.map_or(Ok(Wishes::NONE), wishes)?;
        self.now = self.now.plus(kept.take_u64(HELD)?.unwrap_or_default());
        if let Some(Value::Object(health)) = kept.take("health") {
            self.health = standings::read(health, "health", self.now)?;
        }
        Ok(())
    }
}

fn wishes(mut said: Fields) -> Result<Wishes, Error> {
    let sort = said.take_str("sort")?.map(|word| meant(&SORTS, &word).ok_or_else(|| must_be("wishes.sort", "a way to sort")));
    Ok(Wishes {
        route: said.take_str("route")?,
        models: strings(&mut said, "models")?,
        order: strings(&mut said, "order")?,
        only: strings(&mut said, "only")?,
        ignore: strings(&mut said, "ignore")?,
        allow_fallbacks: said.take_bool("allow_fallbacks")?,
        require_parameters: said.take_bool("require_parameters")?.unwrap_or_default(),
        zdr: said.take_bool("zdr")?.unwrap_or_default(),
        sort: sort.transpose()?,
        max_price: MaxPrice {
            input: said.take_u64("max_input_price")?.map(Money),
            output: said.take_u64("max_output_price")?.map(Money),
        },
        metadata: pairs(&mut said, "metadata")?,
        timeout_ms: said.take_u64("timeout_ms")?,
        ..Wishes::NONE
    })
}

fn features(mut kept: Fields) -> Result<Features, Error> {
    let count = |kept: &mut Fields, key: &str| Ok::<_, Error>(kept.take_u64(key)?.unwrap_or_default());
    let flag = |kept: &mut Fields, key: &str| Ok::<_, Error>(kept.take_bool(key)?.unwrap_or_default());
    Ok(Features {
        input_tokens: count(&mut kept, "input_tokens")?,
        messages: count(&mut kept, "messages")?,
        tools: count(&mut kept, "tools")?,
        images: flag(&mut kept, "images")?,
        audio: flag(&mut kept, "audio")?,
        files: flag(&mut kept, "files")?,
        video: flag(&mut kept, "video")?,
        json_schema: flag(&mut kept, "json_schema")?,
        reasoning_effort: kept.take_str("reasoning_effort")?.and_then(|word| meant(&Effort::WORDS, &word)),
        language: kept.take_str("language")?.map_or("", |word| language(&word)),
        complexity: u16::try_from(count(&mut kept, "complexity")?).unwrap_or(u16::MAX),
        opening: 0,
    })
}

fn strings(fields: &mut Fields, key: &str) -> Result<Vec<String>, Error> {
    let items = fields.take_array(key)?.unwrap_or_default();
    Ok(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
}

fn pairs(fields: &mut Fields, key: &str) -> Result<Vec<(String, String)>, Error> {
    let members = fields.take_fields(key)?.map(Fields::into_map).unwrap_or_default();
    Ok(members.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect())
}

/// ISO 639-1, one code after another.
const LANGUAGES: &str = "aaabaeafakamanarasavayazbabebgbhbibmbnbobrbscacechcocrcscucvcydadedvdzeeeleneoeseteufafffifjfofrfygagdgl\
                         gngugvhahehihohrhthuhyhziaidieigiiikioisitiujajvkakgkikjkkklkmknkokrkskukvkwkylalblgliln\
                         loltlulvmgmhmimkmlmnmrmsmtmynanbndnengnlnnnonrnvnyocojomorospapiplpsptqurmrnrorurwsascsd\
                         sesgsiskslsmsnsosqsrssstsusvswtatetgthtitktltntotrtstttwtyugukuruzvevivowawoxhyiyozazhzu";

/// A language by its code, with the life of the table it stands in.
fn language(code: &str) -> &'static str {
    let places = (0..LANGUAGES.len()).step_by(2);
    places.filter_map(|at| LANGUAGES.get(at..at + 2)).find(|known| *known == code).unwrap_or_default()
}
