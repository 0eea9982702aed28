"""Chinese noun phrases: measure words, colours, people and what they do."""

from __future__ import annotations

from vle_bench.data_prep.sample_world.classes import PERSON
from vle_bench.data_prep.sample_world.scene import Scene, Thing

COLOURS = {
    "red": "红色", "orange": "橙色", "yellow": "黄色", "green": "绿色", "blue": "蓝色",
    "purple": "紫色", "pink": "粉色", "brown": "棕色", "black": "黑色", "white": "白色",
}  # fmt: skip
COMMA, STOP = "\uff0c", "\u3002"
NUMBERS = ("零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十")
PLACES = {
    "meadow": ("草地上", "绿草坪上"),
    "beach": ("海滩上", "海边"),
    "street": ("街道上", "城市马路上"),
    "snow": ("雪地里", "雪山脚下"),
    "desert": ("沙漠里", "大沙漠中"),
    "room": ("房间里", "木地板上"),
}
SKIES = {
    "sunny": ("阳光明媚的", "晴朗的"),
    "cloudy": ("多云的", "飘着白云的"),
    "rainy": ("下着雨的", "雨中的"),
    "snowy": ("下着雪的", "雪花飘落的"),
    "night": ("夜晚的", "月光下的"),
    "": ("", ""),
}
_NOUNS = {
    "car": ("辆", "汽车"),
    "bus": ("辆", "公交车"),
    "boat": ("艘", "帆船"),
    "airplane": ("架", "飞机"),
    "traffic light": ("个", "红绿灯"),
    "bench": ("张", "长椅"),
    "bird": ("只", "鸟"),
    "cat": ("只", "猫"),
    "dog": ("只", "狗"),
    "elephant": ("头", "大象"),
    "giraffe": ("只", "长颈鹿"),
    "umbrella": ("把", "伞"),
    "suitcase": ("个", "行李箱"),
    "sports ball": ("个", "球"),
    "kite": ("只", "风筝"),
    "cup": ("个", "杯子"),
    "chair": ("把", "椅子"),
    "potted plant": ("盆", "盆栽"),
    "clock": ("个", "时钟"),
    "teddy bear": ("只", "玩具熊"),
}
"""Measure word and noun."""
_DOING = {
    "standing": "站着",
    "waving": "正在挥手",
    "pointing": "用手指着旁边",
    "cheering": "举起双手欢呼",
    "running": "正在奔跑",
    "sitting": "坐在地上",
    "lying down": "躺在地上",
}
_HOLDING = {"kite": "正在放", "suitcase": "提着", "umbrella": "撑着"}


def chinese_counted(category: str, colour: str, count: int) -> str:
    """Number, measure word, colour, noun.

    >>> chinese_counted("car", "red", 2)
    '两辆红色的汽车'
    """
    measure, noun = _NOUNS[category]
    painted = f"{COLOURS[colour]}的" if colour else ""
    return f"{NUMBERS[count]}{measure}{painted}{noun}"


def chinese_person(scene: Scene, index: int) -> str:
    """A person by clothes and by what is done."""
    facts = scene.things[index].person
    if facts is None:
        raise ValueError(f"thing {index} is no person")
    wearing = f"穿{COLOURS[facts.shirt]}上衣"
    if facts.hat:
        wearing += f"、戴{COLOURS[facts.hat]}帽子"
    held = scene.held_by(index)
    if held is None:
        return f"一个{wearing}的人{_DOING[facts.pose]}"
    verb = _HOLDING.get(held.category, "拿着")
    return f"一个{wearing}的人{verb}{chinese_counted(held.category, held.colour, 1)}"


def chinese_rider(thing: Thing, seat: Thing) -> str:
    """Something that stands on something."""
    measure, noun = _NOUNS[thing.category]
    verb = "站" if thing.category in {"cat", "bird"} else "放"
    place = f"{COLOURS[seat.colour]}{_NOUNS[seat.category][1]}上"
    return f"一{measure}{verb}在{place}的{COLOURS[thing.colour]}{noun}"


def chinese_crowd(category: str) -> str:
    """A group too large to count."""
    return {PERSON: "一群人", "bird": "一群鸟", "cup": "一排杯子"}[category]
